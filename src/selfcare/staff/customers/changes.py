"""What only staff may change: a customer's type and primary contact, two sign-ins of one person, a message once more.

Each with a reason that stands in the customer's log. Raises NotFound, Rejected or Conflict, and then nothing changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity import sessions, tokens
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.messages.outbox import read_values
from selfcare.portal.sign_in import sign_ins, staying
from selfcare.ports.messages import Messages
from selfcare.staff.customers import queries

TYPES = ("individual", "business")

_SET_TYPE = Prepared.sql("UPDATE customer SET type = :type WHERE id = :id AND type <> :type RETURNING id")
_NO_PRIMARY = Prepared.sql("UPDATE contact SET is_primary = :no WHERE customer_id = :customer_id AND is_primary = :yes")
_SET_PRIMARY = Prepared.sql(
    "UPDATE contact SET is_primary = :yes WHERE customer_id = :customer_id AND id = :id RETURNING id"
)
_NAME_PRIMARY = Prepared.sql("UPDATE customer SET primary_contact_id = :contact WHERE id = :id")
_MESSAGE = Prepared.sql(
    """
    SELECT n.event AS event, n.user_id AS user_id, n.address AS address, n.about AS about, n.state AS state
      FROM notification n
     WHERE n.id = :id AND (n.customer_id = :customer_id OR (n.customer_id IS NULL AND EXISTS (
           SELECT 1 FROM membership m WHERE m.user_id = n.user_id AND m.customer_id = :customer_id
              AND m.removed_at IS NULL)))
    """
)
_HAND_OVER = Prepared.sql(
    """
    UPDATE membership SET user_id = :keep
     WHERE user_id = :gone AND removed_at IS NULL AND accepted_at IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM membership k WHERE k.user_id = :keep AND k.customer_id = membership.customer_id
                          AND k.removed_at IS NULL)
    RETURNING customer_id
    """
)
_END_REST = Prepared.sql(
    "UPDATE membership SET removed_at = :now WHERE user_id = :gone AND removed_at IS NULL RETURNING customer_id"
)
_CONTACTS = Prepared.sql("UPDATE contact SET user_id = :keep WHERE user_id = :gone")
_DISABLE = Prepared.sql("UPDATE app_user SET disabled_at = :now WHERE id = :gone AND disabled_at IS NULL RETURNING id")


async def change_type(identity: Identity, customer_id: UUID, kind: str, reason: str, *, messages: Messages) -> None:
    async with transaction():
        if not await execute(_SET_TYPE.bind(id=customer_id, type=kind)):
            raise Rejected(_("The customer has this type already."), "type")
        await _record(identity, customer_id, "type", reason)
        await _tell(identity, messages, [customer_id], _("the type of your account"))


async def change_primary(
    identity: Identity, customer_id: UUID, contact_id: UUID, reason: str, *, messages: Messages
) -> None:
    async with transaction():
        await execute(_NO_PRIMARY.bind(customer_id=customer_id, no=False, yes=True))
        if not await execute(_SET_PRIMARY.bind(customer_id=customer_id, id=contact_id, yes=True)):
            raise NotFound
        await execute(_NAME_PRIMARY.bind(id=customer_id, contact=contact_id))
        await _record(identity, customer_id, "primary_contact", reason)
        await _tell(identity, messages, [customer_id], _("the primary contact of your account"))


async def send_again(identity: Identity, customer_id: UUID, message_id: UUID, *, messages: Messages) -> None:
    """The same words to the same person. A link that works once is never sent twice: that is started anew."""
    row = await fetch_one(_MESSAGE.bind(id=message_id, customer_id=customer_id))
    if row is None:
        raise NotFound
    event = Message.named(row["event"])
    if event.secret:
        raise Rejected(_("This message held a link that works once. Start what it was for again."))
    values = await read_values(message_id)
    async with transaction():
        await messages.send_later(
            event,
            to_user=None if row["address"] else row["user_id"],
            to_address=row["address"],
            customer_id=customer_id,
            about=row["about"],
            dedupe_key=f"again:{message_id}:{identity.origin.request_id}",
            **values,
        )
        who = queries.of_customer(identity, customer_id, row["user_id"])
        await audit.record(who, Event.STAFF_MESSAGE_RESENT, about=message_id)


async def merge(
    identity: Identity, customer_id: UUID, keep: UUID, other_email: str, reason: str, *, messages: Messages
) -> None:
    """Two sign-ins of one person become one: the other's accounts come over, and it is switched off for good."""
    other = await sign_ins.find_user(other_email)
    people = {one.user_id: one for one in await queries.contacts(customer_id)}
    kept = people.get(keep)
    if kept is None or kept.role is None or kept.is_staff:
        raise NotFound
    if other is None or other["id"] == keep or other["disabled_at"] is not None or await queries.is_staff(other["id"]):
        raise Rejected(_("There is no other sign-in with this address that could be merged."), "email")
    gone, now = other["id"], clock.now()
    async with transaction():
        await execute(_DISABLE.bind(gone=gone, now=now))
        moved = await execute(_HAND_OVER.bind(keep=keep, gone=gone))
        dropped = await execute(_END_REST.bind(gone=gone, now=now))
        await execute(_CONTACTS.bind(keep=keep, gone=gone))
        await sessions.revoke_all(gone)
        await sessions.revoke_all(keep)
        await staying.forget_all(gone)
        await tokens.kill(gone)
        touched = {row["customer_id"] for row in (*moved, *dropped)} | {customer_id}
        await _tell(identity, messages, touched, _("who signs in to your account: two sign-ins became one"))
        for of in touched:
            who = queries.of_customer(identity, of, keep)
            await audit.record(who, Event.STAFF_LOGINS_MERGED, about=gone, reason=reason)


async def _tell(identity: Identity, messages: Messages, of: Iterable[UUID], what: str) -> None:
    """Every owner, by mail: only support can do this, so they hear of it from us."""
    for customer_id in sorted(of):
        for user_id in await queries.owners(customer_id):
            await messages.send_later(
                Message.ACCOUNT_CHANGED_BY_US,
                to_user=user_id,
                customer_id=customer_id,
                dedupe_key=f"account.changed_by_us:{identity.origin.request_id}:{customer_id}:{user_id}",
                what=what,
                path="/account",
            )


async def _record(identity: Identity, customer_id: UUID, what: str, reason: str) -> None:
    who = queries.of_customer(identity, customer_id)
    await audit.record(who, Event.STAFF_CUSTOMER_CHANGED, fields=[what], reason=reason)
