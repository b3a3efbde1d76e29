"""Adding, naming and removing passkeys."""

from __future__ import annotations

from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Duplicate, transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.identity import limits, passkeys, sessions, tokens, totp
from selfcare.identity.identity import Identity
from selfcare.identity.passkeys import Place, Refused
from selfcare.identity.passwords import Passwords
from selfcare.identity.tokens import Purpose
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.words import _, ngettext
from selfcare.portal.account.security.second_steps import tell_changed
from selfcare.ports.messages import Messages


class NotAdded(Rejected):
    """The device's answer did not count; the person may start again."""


class LastWayIn(Rejected):
    """Without this passkey nothing would open the account."""


# The row is locked, so that two removals at once cannot take both last passkeys.
_HOLD = Prepared.sql(
    "UPDATE app_user SET display_name = display_name WHERE id = :user_id "
    "RETURNING CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END AS password, "
    "CASE WHEN totp_secret IS NULL THEN 0 ELSE 1 END AS app"
)


async def second_step_on(user_id: UUID) -> bool:
    """Whether anything but the password is asked for, and backup codes mean something."""
    return await totp.is_on(user_id) or await passkeys.count(user_id) > 0


async def begin(identity: Identity, *, place: Place) -> str:
    """What the browser needs to make a passkey."""
    actor = identity.actor
    async with transaction():
        return await passkeys.ask_to_register(actor.id, email=actor.email, name=actor.name, place=place)


async def add(
    identity: Identity, answer: str, name: str, *, place: Place, passwords: Passwords, messages: Messages
) -> list[str]:
    """A first second step brings ten backup codes, told once, and ends other sign-ins; else the list is empty.

    Raises NotAdded, limits.TooOften.
    """
    user_id = identity.actor_id
    await limits.claim(limits.CODE_BY_USER, str(user_id))
    try:
        new = await passkeys.check_new(user_id, answer, place=place)
    except Refused as refused:
        raise NotAdded(_("The passkey was not added. Try once more.")) from refused
    alone = not await second_step_on(user_id)
    codes = totp.new_codes() if alone else []
    hashes = await totp.hash_codes(codes, passwords)
    try:
        async with transaction():
            held = (await execute(_HOLD.bind(user_id=user_id)))[0]
            before = await passkeys.count(user_id)
            if before >= passkeys.MOST:
                raise NotAdded(
                    ngettext("You can have %(n)d passkey.", "You can have %(n)d passkeys.", passkeys.MOST)
                    % {"n": passkeys.MOST}
                )
            await passkeys.add(user_id, new, name)
            if alone and not before and not held["app"]:
                await totp.store_codes(user_id, codes, hashes)
            else:
                codes = []
            await sessions.revoke_all(user_id, but=identity.session_id)
            await audit.record(identity, Event.ACCOUNT_SECOND_FACTOR_ADDED, kind="passkey")
            await tell_changed(identity, "passkey_added", messages)
    except Duplicate as known:
        raise NotAdded(_("This passkey is known already.")) from known
    return codes


async def rename(identity: Identity, passkey_id: UUID, name: str) -> None:
    async with transaction():
        if not await passkeys.rename(identity.actor_id, passkey_id, name):
            raise NotFound
        await audit.record(identity, Event.ACCOUNT_SECOND_FACTOR_RENAMED, kind="passkey")


async def remove(identity: Identity, passkey_id: UUID, *, messages: Messages) -> None:
    """Raises LastWayIn; NotFound when it is gone or never was this person's."""
    user_id = identity.actor_id
    async with transaction():
        held = (await execute(_HOLD.bind(user_id=user_id)))[0]
        if not await passkeys.remove(user_id, passkey_id):
            raise NotFound
        if not await passkeys.count(user_id):
            if not held["password"]:
                raise LastWayIn(_("This is the only way into your account. Set a password or add another one first."))
            if not held["app"]:
                await totp.forget_codes(user_id)
        await tokens.kill(user_id, Purpose.CHALLENGE, Purpose.PASSKEY)
        await sessions.revoke_all(user_id, but=identity.session_id)
        await audit.record(identity, Event.ACCOUNT_SECOND_FACTOR_REMOVED, kind="passkey")
        await tell_changed(identity, "passkey_removed", messages)
