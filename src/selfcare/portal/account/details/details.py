"""Changing one's name, phone number and e-mail address.

A new address counts only after its owner has opened a link sent to it. The old address hears of it at once and can take
it back for three days, even after it took effect: whoever lost their mailbox for an hour shall not lose the account.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Duplicate, transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.identity import holds, limits, sessions, tokens
from selfcare.identity.identity import Identity
from selfcare.identity.tables import User
from selfcare.identity.tokens import Purpose
from selfcare.kernel import agents, clock, msisdn
from selfcare.kernel.errors import DeadLink, Rejected
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.sign_in import sign_ins, staying
from selfcare.ports.messages import Messages


@dataclass(frozen=True, slots=True)
class NewAddress:
    """What a confirmation link is about."""

    user_id: UUID
    address: str


# The new address takes the place of the old one only while it is still the one that was asked for.
_CONFIRM = Prepared.sql(
    """
    UPDATE app_user SET email = :address, email_verified_at = :now, pending_email = NULL
     WHERE id = :user_id AND pending_email = :address
       AND NOT EXISTS (SELECT 1 FROM app_user other WHERE lower(other.email) = lower(:address) AND other.id <> :user_id)
    RETURNING id
    """
)
_UNDO = Prepared.sql(
    """
    UPDATE app_user SET email = :address, pending_email = NULL
     WHERE id = :user_id AND (email = :new OR pending_email = :new)
    RETURNING id
    """
)


async def change_name(identity: Identity, name: str) -> None:
    async with transaction():
        await User.update({User.display_name: name}).where(User.id == identity.user_id)
        await audit.record(identity, Event.ACCOUNT_DETAILS_CHANGED, fields=["display_name"])


async def change_phone(identity: Identity, phone: str | None, *, messages: Messages) -> None:
    """`phone` in E.164, or None for no number. Its owner is told by mail, in case it was somebody else."""
    await holds.check(identity.user_id)
    async with transaction():
        await User.update({User.phone: phone}).where(User.id == identity.user_id)
        await audit.record(identity, Event.ACCOUNT_DETAILS_CHANGED, fields=["phone"])
        await messages.send_later(
            Message.ACCOUNT_PHONE_CHANGED,
            to_user=identity.user_id,
            dedupe_key=f"phone_changed:{identity.user_id}:{identity.origin.request_id}",
            at=clock.now(),
            device=agents.within_a_sentence(identity.origin.device),
            phone=msisdn.mask(phone) if phone else None,
        )


async def ask_email_change(identity: Identity, address: str, *, messages: Messages) -> None:
    """A link goes to the new address and a notice to the old one; a taken address gets no link and nobody learns why.

    Raises Rejected when it is the address already, and limits.TooOften.
    """
    if sign_ins.normal_email(address) == sign_ins.normal_email(identity.user.email):
        raise Rejected(_("This is your address already."), field="email")
    await holds.check(identity.user_id)
    await limits.claim(limits.EMAIL_CHANGE_BY_USER, str(identity.user_id))
    taken = await sign_ins.find_user(address)
    async with transaction():
        now = clock.now()
        await tokens.kill(identity.user_id, Purpose.VERIFY_EMAIL)
        await User.update({User.pending_email: address}).where(User.id == identity.user_id)
        await audit.record(identity, Event.ACCOUNT_EMAIL_CHANGE_ASKED)
        if taken is not None:
            return
        about = {"new": address, "old": identity.user.email}
        confirm = await tokens.issue(Purpose.VERIFY_EMAIL, user_id=identity.user_id, data=about)
        cancel = await tokens.issue(Purpose.CANCEL_EMAIL, user_id=identity.user_id, data=about)
        key = identity.origin.request_id
        await messages.send_later(
            Message.ACCOUNT_VERIFY_EMAIL,
            to_address=address,
            dedupe_key=f"verify_email:{key}",
            until=now + tokens.LIFE[Purpose.VERIFY_EMAIL],
            path=f"/account/email/confirm?token={confirm}",
        )
        await messages.send_later(
            Message.ACCOUNT_EMAIL_CHANGE_NOTICE,
            to_address=identity.user.email,
            dedupe_key=f"email_change_notice:{key}",
            new_address=_hinted(address),
            until=now + tokens.LIFE[Purpose.CANCEL_EMAIL],
            path=f"/account/email/cancel?token={cancel}",
        )


async def look_at(token: str, purpose: Purpose) -> NewAddress:
    """What the link is about, without using it up. Raises DeadLink."""
    found = await tokens.peek(token, purpose)
    if found is None or found.user_id is None:
        raise DeadLink
    return NewAddress(found.user_id, found.data["new"])


async def confirm_email(token: str, origin: Origin) -> str:
    """The address that counts now; every sign-in ends but none is opened. Raises DeadLink."""
    async with transaction():
        found = await tokens.burn(token, Purpose.VERIFY_EMAIL)
        if found is None or found.user_id is None:
            raise DeadLink
        address = str(found.data["new"])
        try:
            rows = await execute(_CONFIRM.bind(user_id=found.user_id, address=address, now=clock.now()))
        except Duplicate as error:
            raise DeadLink from error
        if not rows:
            raise DeadLink
        ended = await sessions.revoke_all(found.user_id)
        await staying.forget_all(found.user_id)
        await tokens.kill(found.user_id, Purpose.RESET, Purpose.CHALLENGE)
        actor = audit.visitor(origin, user_id=found.user_id)
        await audit.record(actor, Event.ACCOUNT_EMAIL_CHANGED, ended=ended)
        return address


async def cancel_email(token: str, origin: Origin) -> None:
    """From the old address: the change is off, or undone where it had taken effect. Raises DeadLink."""
    async with transaction():
        found = await tokens.burn(token, Purpose.CANCEL_EMAIL)
        if found is None or found.user_id is None:
            raise DeadLink
        about = {"user_id": found.user_id, "address": found.data["old"], "new": found.data["new"]}
        if not await execute(_UNDO.bind(**about)):
            raise DeadLink
        await sessions.revoke_all(found.user_id)
        await staying.forget_all(found.user_id)
        await tokens.kill(found.user_id, Purpose.VERIFY_EMAIL, Purpose.RESET)
        await audit.record(audit.visitor(origin, user_id=found.user_id), Event.ACCOUNT_EMAIL_CHANGE_UNDONE)


def _hinted(address: str) -> str:
    """Enough of the new address to recognise it, for a mailbox that others may read."""
    name, _at, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"
