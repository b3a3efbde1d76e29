"""Changing the password while signed in."""

from __future__ import annotations

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity import limits, sessions, tokens
from selfcare.identity.identity import Identity
from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy
from selfcare.identity.tables import User
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.portal.sign_in import sign_ins, staying
from selfcare.portal.sign_in.proof import proofs
from selfcare.portal.sign_in.recovery import recoveries
from selfcare.ports.messages import Messages


class WrongCurrent(Rejected):
    """Counts towards the lock, as any wrong password does."""


async def change(
    identity: Identity,
    current: str,
    new: str,
    *,
    passwords: Passwords,
    messages: Messages,
    rules: Policy,
) -> str:
    """The cookie's new token. Every other sign-in ends.

    Raises WrongCurrent, policy.Weak with all unmet rules, limits.TooOften, limits.Locked.
    """
    await limits.claim(limits.PASSWORD_CHANGE_BY_USER, str(identity.actor_id))
    identifier = sign_ins.normal_email(identity.actor.email)
    await limits.claim_password(identifier)
    user = await sign_ins.get_user(identity.actor_id)
    checked = await passwords.check(user["password_hash"] if user else None, current)
    if not checked.right:
        async with transaction():
            await limits.password_failed(identifier)
            await audit.record(identity, Event.SIGN_IN_PROOF_FAILED, outcome="refused", method="password")
        raise WrongCurrent(_("That is not your current password."), field="current_password")
    rules.check(new, email=identity.actor.email, name=identity.actor.name, is_current=new == current)
    hashed = await passwords.hash(new)
    async with transaction():
        await limits.unlock(identifier)
        now = clock.now()
        await User.update({User.password_hash: hashed, User.password_changed_at: now}).where(
            User.id == identity.actor_id
        )
        ended = await sessions.revoke_all(identity.actor_id, but=identity.session_id)
        await staying.forget_all(identity.actor_id)
        await tokens.kill(identity.actor_id)
        await audit.record(identity, Event.ACCOUNT_PASSWORD_CHANGED, ended=ended)
        await recoveries.tell_password_changed(identity.actor_id, identity.origin, messages=messages)
        return await proofs.proved(identity, method="password")
