"""What is blanked, where, when a person is erased. What is not named here stays, or holds nothing of a person.

Bills, transactions, payments and the books stay as they are, with the customer's name and address on them: the law
wants them kept. The audit log knows people by their ids only, so it needs no change and its chain goes on verifying.
"""

from __future__ import annotations

from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.messages import outbox
from selfcare.portal.cards import cards
from selfcare.ports.jobs import Jobs

AT_ONCE = 2_000
NOBODY = "Erased person"

# Only :user_id.
_OF_PERSON = tuple(
    Prepared.sql(text)
    for text in (
        """
        UPDATE contact SET name = 'Erased person', email = NULL, phone = NULL, user_id = NULL
         WHERE user_id = :user_id
        """,
        "UPDATE request SET text = '', about_words = '' WHERE user_id = :user_id",
        "UPDATE request_reply SET text = '' WHERE user_id = :user_id AND NOT by_staff",
        # What was answered may repeat what was asked.
        """
        UPDATE request_reply SET text = '' WHERE request_id IN (SELECT r.id FROM request r WHERE r.user_id = :user_id)
        """,
        "UPDATE cancellation SET words = NULL WHERE asked_by = :user_id",
        "DELETE FROM export_part WHERE export_id IN (SELECT e.id FROM export e WHERE e.user_id = :user_id)",
        "DELETE FROM export WHERE user_id = :user_id",
        "DELETE FROM kept_form WHERE user_id = :user_id",
        "DELETE FROM one_time_token WHERE user_id = :user_id",
        "DELETE FROM remembered_sign_in WHERE user_id = :user_id",
        "DELETE FROM known_device WHERE user_id = :user_id",
        "DELETE FROM backup_code WHERE user_id = :user_id",
        "DELETE FROM passkey WHERE user_id = :user_id",
        "DELETE FROM session WHERE user_id = :user_id",
        "DELETE FROM article_answer WHERE user_id = :user_id",
        "DELETE FROM dismissed_tip WHERE user_id = :user_id",
        "DELETE FROM support_wish WHERE user_id = :user_id",
        "DELETE FROM support_code WHERE user_id = :user_id",
        """
        DELETE FROM bill_recipient WHERE email = (SELECT lower(u.email) FROM app_user u WHERE u.id = :user_id)
        """,
        "UPDATE autopay_consent SET address = '', device = '' WHERE given_by = :user_id",
        """
        UPDATE invitation SET email = 'erased@invalid' WHERE accepted_by = :user_id
            OR lower(email) = (SELECT lower(u.email) FROM app_user u WHERE u.id = :user_id)
        """,
        """
        DELETE FROM outbox_mail
         WHERE lower(mail_to) = (SELECT lower(u.email) FROM app_user u WHERE u.id = :user_id)
        """,
    )
)
_LEAVE = Prepared.sql("UPDATE membership SET removed_at = :now WHERE user_id = :user_id AND removed_at IS NULL")
_BLANK = Prepared.sql(
    """
    UPDATE app_user SET email = :address, email_verified_at = NULL, pending_email = NULL, phone = NULL,
        display_name = :nobody, password_hash = NULL, password_changed_at = NULL, totp_secret = NULL,
        totp_last_step = NULL, totp_since = NULL, second_step_asked_at = NULL, zone = NULL, theme = 'system',
        disabled_at = :now
     WHERE id = :user_id
    """
)
# Only :customer_id: where nobody is left to look after the account.
_OF_CUSTOMER = tuple(
    Prepared.sql(text)
    for text in (
        "UPDATE contact SET name = 'Erased person', email = NULL, phone = NULL WHERE customer_id = :customer_id",
        """
        UPDATE site SET label = 'Erased address', address_line_1 = '', address_line_2 = '', city = '', state = '',
            zip_code = '', geo = NULL
         WHERE customer_id = :customer_id
        """,
        "UPDATE service SET nickname = NULL WHERE customer_id = :customer_id",
        "DELETE FROM customer_note WHERE customer_id = :customer_id",
        "DELETE FROM bill_reference WHERE customer_id = :customer_id",
        "DELETE FROM bill_recipient WHERE customer_id = :customer_id",
        "DELETE FROM notification WHERE customer_id = :customer_id AND user_id IS NULL",
        """
        DELETE FROM guest_receipt WHERE payment_id IN (SELECT p.id FROM payment p WHERE p.customer_id = :customer_id)
        """,
        "UPDATE quick_visit SET number = 'here' WHERE customer_id = :customer_id",
        "DELETE FROM network_address WHERE customer_id = :customer_id",
        "UPDATE customer SET status = 'archived' WHERE id = :customer_id",
    )
)
_CARDS = Prepared.sql(
    "SELECT id, token_ref FROM payment_method WHERE customer_id = :customer_id AND removed_at IS NULL"
)
_NO_CARDS = Prepared.sql(
    """
    UPDATE payment_method SET holder = '', nickname = NULL, is_default = FALSE,
        removed_at = COALESCE(removed_at, :now)
     WHERE customer_id = :customer_id
    """
)
_NO_AUTOPAY = Prepared.sql(
    "UPDATE autopay_consent SET ended_at = :now WHERE customer_id = :customer_id AND ended_at IS NULL"
)
_CALLED = Prepared.sql(
    """
    UPDATE usage_record SET other_party = NULL WHERE id IN (
        SELECT u.id FROM usage_record u WHERE u.customer_id = :customer_id AND u.other_party IS NOT NULL LIMIT :most
    ) RETURNING id
    """
)
_WHO = Prepared.sql("SELECT email, pending_email FROM app_user WHERE id = :user_id")


async def forget_calls(customer_id: UUID) -> None:
    """Whom they called and wrote to, a few thousand at a time; again and again does no harm."""
    while True:
        async with transaction():
            if not await execute(_CALLED.bind(customer_id=customer_id, most=AT_ONCE)):
                return


async def blank(user_id: UUID, closing: list[UUID], *, jobs: Jobs) -> None:
    """Inside `transaction()`: the person, and the accounts that close with them."""
    now = clock.now()
    rows = await fetch(_WHO.bind(user_id=user_id))
    addresses = [address for address in rows[0].values() if address]
    for statement in _OF_PERSON:
        await execute(statement.bind(user_id=user_id))
    for customer_id in closing:
        for card in await fetch(_CARDS.bind(customer_id=customer_id)):
            await jobs.enqueue(
                cards.DETACH, key=f"{cards.DETACH}:{card['id']}", payload={"token_ref": card["token_ref"]}
            )
        await execute(_NO_AUTOPAY.bind(customer_id=customer_id, now=now))
        await execute(_NO_CARDS.bind(customer_id=customer_id, now=now))
        for statement in _OF_CUSTOMER:
            await execute(statement.bind(customer_id=customer_id))
    await outbox.forget_person(user_id, *addresses)
    await execute(_LEAVE.bind(user_id=user_id, now=now))
    await execute(_BLANK.bind(user_id=user_id, address=f"erased-{user_id}@invalid", nobody=NOBODY, now=now))
