""" "Confirm it's you": a recent password, code or passkey before what could lose somebody their account."""

from __future__ import annotations

from collections.abc import Sequence

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity import limits, passkeys, sessions, totp
from selfcare.identity.identity import Identity
from selfcare.identity.passkeys import Place, Refused, Step
from selfcare.identity.passwords import Passwords
from selfcare.kernel import ids
from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.portal.sign_in import sign_ins

WRONG_BEFORE_THE_END = 5
# The claim that is refused is the fifth wrong one.
WRONG = limits.Limit("proof.session", WRONG_BEFORE_THE_END - 1, sessions.KEPT_FOR)


class NotProved(Rejected):
    """Wrong; the sign-in goes on."""


class SignInEnded(Rejected):
    """Wrong too often: whoever sits there is shown out."""


async def prove_by_password(identity: Identity, password: str, *, passwords: Passwords) -> str:
    """A new token for the cookie, proved now; the old one dies. Raises NotProved or SignInEnded."""
    await limits.claim(limits.PROOF_BY_USER, str(identity.actor_id))
    user = await sign_ins.get_user(identity.actor_id)
    checked = await passwords.check(user["password_hash"] if user else None, password)
    if not checked.right:
        await _wrong(identity, method="password")
        raise NotProved(_("That password is wrong."), field="password")
    async with transaction():
        return await proved(identity, method="password")


async def prove_by_code(identity: Identity, typed: str, keys: Sequence[bytes]) -> str:
    """As by password, with a code of the authenticator app."""
    await limits.claim(limits.PROOF_BY_USER, str(identity.actor_id))
    async with transaction():
        if await totp.accept(identity.actor_id, typed, keys) is totp.Answer.RIGHT:
            return await proved(identity, method="app")
    await _wrong(identity, method="app")
    raise NotProved(_("That code is wrong or already used."), field="code")


async def ask_passkey(identity: Identity, *, place: Place) -> str:
    """What the browser needs to prove it by passkey."""
    async with transaction():
        return await passkeys.ask(Step.PROOF, identity.actor_id, place=place)


async def prove_by_passkey(identity: Identity, answer: str, *, place: Place) -> str:
    """As by password, with a passkey of the same person."""
    await limits.claim(limits.PROOF_BY_USER, str(identity.actor_id))
    try:
        found = await passkeys.check(Step.PROOF, identity.actor_id, answer, place=place)
        async with transaction():
            await passkeys.use(found)
            return await proved(identity, method="passkey")
    except Refused as refused:
        await _wrong(identity, method="passkey")
        raise NotProved(_("The passkey did not work. Try once more, or use your password.")) from refused


async def proved(identity: Identity, *, method: str) -> str:
    """Inside a transaction: note it and change the cookie's token."""
    token = ids.token()
    await sessions.renew(identity.session_id, token)
    await audit.record(identity, Event.SIGN_IN_PROVED, method=method)
    return token


async def _wrong(identity: Identity, *, method: str) -> None:
    async with transaction():
        await audit.record(identity, Event.SIGN_IN_PROOF_FAILED, outcome="refused", method=method)
        last = not await limits.allows_here(WRONG, identity.session_id)
        if last:
            await sessions.revoke(identity.session_id)
    if last:
        raise SignInEnded(_("That was wrong too often, so this sign-in was ended."))
