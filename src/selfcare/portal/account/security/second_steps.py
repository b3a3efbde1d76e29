"""Setting the second step up, replacing its backup codes, switching it off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import segno

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity import limits, passkeys, sealed, sessions, tokens, totp
from selfcare.identity.identity import Identity
from selfcare.identity.passwords import Passwords
from selfcare.identity.tokens import Purpose
from selfcare.kernel import agents, clock, ids
from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages

SET_UP_TRIES = limits.Limit("app.set_up", 5, timedelta(hours=1))


class StartAgain(Rejected):
    """Five wrong codes for one secret: whoever scanned another picture never gets it right."""


class NotAccepted(Rejected):
    """The code did not fit; the set-up goes on with the same secret."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """A secret that waits for its first code. `ticket` carries it through the form, sealed for this person."""

    secret: totp.Secret
    ticket: str

    def qr(self, *, email: str, issuer: str) -> list[str]:
        """The rows of the QR code: "1" is dark."""
        code = segno.make(self.secret.uri(email=email, issuer=issuer), error="m", micro=False)
        return ["".join("1" if dark else "0" for dark in row) for row in code.matrix_iter(border=2)]


def begin(identity: Identity, keys: Sequence[bytes]) -> SetUp:
    secret = totp.Secret.new()
    return SetUp(secret, sealed.seal(secret.base32.encode(), keys, _belongs(identity)))


def resume(identity: Identity, ticket: str, keys: Sequence[bytes]) -> SetUp | None:
    """The set-up of a form that comes back; None when the ticket is not this person's."""
    try:
        return SetUp(totp.Secret(sealed.unseal(ticket, keys, _belongs(identity)).decode()), ticket)
    except sealed.Unreadable:
        return None


async def turn_on(
    identity: Identity,
    set_up: SetUp,
    typed: str,
    keys: Sequence[bytes],
    *,
    passwords: Passwords,
    messages: Messages,
) -> list[str]:
    """Store the secret once its first code is right; the ten backup codes, told once. Other sign-ins end.

    Raises NotAccepted, StartAgain, limits.TooOften.
    """
    await limits.claim(limits.CODE_BY_USER, str(identity.actor_id))
    if not await limits.allows(SET_UP_TRIES, ids.token_hash(set_up.ticket)):
        raise StartAgain(_("That was wrong too often. Here is a new key: scan it again."), "code")
    answer, step = totp.step_of(set_up.secret, typed)
    if answer is totp.Answer.CLOCK_OFF:
        raise NotAccepted(_("That code is wrong. Your phone's clock seems to be off: set it automatically."), "code")
    if answer is not totp.Answer.RIGHT:
        raise NotAccepted(_("That code is wrong. Type the 6 digits that the app shows now."), "code")
    codes = totp.new_codes()
    hashes = await totp.hash_codes(codes, passwords)
    async with transaction():
        await totp.turn_on(identity.actor_id, set_up.secret, step, keys)
        await totp.store_codes(identity.actor_id, codes, hashes)
        await sessions.revoke_all(identity.actor_id, but=identity.session_id)
        await audit.record(identity, Event.ACCOUNT_SECOND_FACTOR_ADDED, kind="app")
        await tell_changed(identity, "totp_added", messages)
    return codes


async def renew_codes(identity: Identity, *, passwords: Passwords, messages: Messages) -> list[str]:
    """A new set of backup codes; the old one is dead."""
    codes = totp.new_codes()
    hashes = await totp.hash_codes(codes, passwords)
    async with transaction():
        await totp.store_codes(identity.actor_id, codes, hashes)
        await audit.record(identity, Event.ACCOUNT_BACKUP_CODES_MADE, count=len(codes))
        await tell_changed(identity, "codes_made", messages)
    return codes


async def turn_off(
    identity: Identity, typed: str, keys: Sequence[bytes], *, passwords: Passwords, messages: Messages
) -> None:
    """Needs a code of the app or a backup code besides the recent proof. Raises NotAccepted, limits.TooOften."""
    await limits.claim(limits.CODE_BY_USER, str(identity.actor_id))
    backup = await totp.find_code(identity.actor_id, typed, passwords) if len(totp.plain_code(typed)) == 16 else None
    async with transaction():
        if not await _fits(identity.actor_id, typed, backup, keys):
            raise NotAccepted(_("That code is wrong or already used."), "code")
        await totp.turn_off(identity.actor_id)
        if not await passkeys.count(identity.actor_id):
            await totp.forget_codes(identity.actor_id)
        await tokens.kill(identity.actor_id, Purpose.CHALLENGE)
        await sessions.revoke_all(identity.actor_id, but=identity.session_id)
        await audit.record(identity, Event.ACCOUNT_SECOND_FACTOR_REMOVED, kind="app")
        await tell_changed(identity, "totp_removed", messages)


async def tell_changed(identity: Identity, change: str, messages: Messages) -> None:
    """Inside the transaction of the change."""
    now = clock.now()
    await messages.send_later(
        Message.ACCOUNT_SECOND_FACTOR_CHANGED,
        to_user=identity.actor_id,
        dedupe_key=f"second_factor:{identity.actor_id}:{identity.origin.request_id}",
        change=change,
        at=now,
        device=agents.within_a_sentence(identity.origin.device),
    )


async def _fits(user_id: UUID, typed: str, backup: UUID | None, keys: Sequence[bytes]) -> bool:
    if backup is not None:
        return await totp.burn_code(backup)
    return await totp.accept(user_id, typed, keys) is totp.Answer.RIGHT


def _belongs(identity: Identity) -> str:
    return f"totp-set-up/{identity.actor_id}/{identity.session_created_at.isoformat()}"
