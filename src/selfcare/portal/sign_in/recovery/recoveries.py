"""A forgotten password, a locked door, a stranger's sign-in: the ways back that need nobody's help.

Whether an address is known shows in nothing: the answer, its words and its time are the same, and a job does the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.identity import limits, policy, sessions, tokens, totp
from selfcare.identity.identity import Identity
from selfcare.identity.passwords import Passwords
from selfcare.identity.tables import User
from selfcare.identity.tokens import Purpose
from selfcare.jobs.registry import Job
from selfcare.kernel import agents, clock
from selfcare.kernel.errors import DeadLink
from selfcare.kernel.origin import Origin
from selfcare.messages.events import Message
from selfcare.portal.sign_in import sign_ins, staying
from selfcare.ports.jobs import SECURITY, Jobs
from selfcare.ports.messages import Messages


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose link it is, for the rules a new password must meet."""

    user_id: UUID
    email: str
    name: str


async def ask_reset(email: str, origin: Origin, *, jobs: Jobs) -> None:
    """Somebody forgot a password. Raises limits.TooOften by address only; the limit by person is silent."""
    await limits.claim(limits.RESET_BY_ADDRESS, limits.network(origin.address))
    user = await sign_ins.find_user(email)
    async with transaction():
        actor = audit.visitor(origin, user_id=user["id"] if user else None)
        await audit.record(actor, Event.SIGN_IN_RESET_ASKED)
        await jobs.enqueue(
            "sign_in.send_reset",
            key=f"sign_in.send_reset:{origin.request_id}",
            payload={"user_id": str(user["id"]) if user and user["disabled_at"] is None else None},
            priority=SECURITY,
        )


async def owner_of(token: str) -> Owner:
    """Looking does not use the link up: mail scanners look. Raises DeadLink."""
    found = await tokens.peek(token, Purpose.RESET)
    user = await sign_ins.get_user(found.user_id) if found and found.user_id else None
    if user is None or user["disabled_at"] is not None:
        raise DeadLink
    return Owner(user["id"], user["email"], user["display_name"])


async def reset(
    token: str, password: str, origin: Origin, *, passwords: Passwords, messages: Messages, rules: policy.Policy
) -> None:
    """A new password by a link. Ends every sign-in, opens none, leaves the second step alone.

    Raises DeadLink, or policy.Weak with all unmet rules.
    """
    owner = await owner_of(token)
    user = await sign_ins.get_user(owner.user_id)
    same = bool(user and user["password_hash"]) and (await passwords.check(user["password_hash"], password)).right  # type: ignore[index]
    rules.check(password, email=owner.email, name=owner.name, is_current=same)
    hashed = await passwords.hash(password)
    async with transaction():
        if await tokens.burn(token, Purpose.RESET) is None:
            raise DeadLink
        now = clock.now()
        await User.update({User.password_hash: hashed, User.password_changed_at: now}).where(User.id == owner.user_id)
        await sessions.revoke_all(owner.user_id)
        await staying.forget_all(owner.user_id)
        await tokens.kill(owner.user_id)
        await limits.unlock(sign_ins.normal_email(owner.email))
        await audit.record(audit.visitor(origin, user_id=owner.user_id), Event.SIGN_IN_RESET_DONE)
        await tell_password_changed(owner.user_id, origin, messages=messages)


async def tell_password_changed(user_id: UUID, origin: Origin, *, messages: Messages) -> None:
    """Inside the transaction that changed it."""
    now = clock.now()
    await messages.send_later(
        Message.ACCOUNT_PASSWORD_CHANGED,
        to_user=user_id,
        dedupe_key=f"password_changed:{user_id}:{now.isoformat()}",
        at=now,
        device=agents.within_a_sentence(origin.device),
    )


async def holder_of(token: str) -> UUID:
    """Whose link takes a lost second step off. Looking does not use it up. Raises DeadLink."""
    found = await tokens.peek(token, Purpose.RESET_SECOND_FACTOR)
    user = await sign_ins.get_user(found.user_id) if found and found.user_id else None
    if user is None or user["disabled_at"] is not None:
        raise DeadLink
    return UUID(str(user["id"]))


async def drop_second_step(token: str, origin: Origin, *, messages: Messages) -> None:
    """By the link that support sent after they made sure who it is: app, passkeys and backup codes go, every sign-in
    ends. The password stays. Raises DeadLink."""
    user_id = await holder_of(token)
    now = clock.now()
    async with transaction():
        if await tokens.burn(token, Purpose.RESET_SECOND_FACTOR) is None:
            raise DeadLink
        await totp.turn_off(user_id)
        await execute(_DROP_PASSKEYS.bind(user_id=user_id, now=now))
        await totp.forget_codes(user_id)
        await sessions.revoke_all(user_id)
        await staying.forget_all(user_id)
        await tokens.kill(user_id, Purpose.CHALLENGE, Purpose.PASSKEY, Purpose.VERIFY_EMAIL)
        who = audit.visitor(origin, user_id=user_id)
        await audit.record(who, Event.ACCOUNT_SECOND_FACTOR_REMOVED, kind="all")
        await messages.send_later(
            Message.ACCOUNT_SECOND_FACTOR_CHANGED,
            to_user=user_id,
            dedupe_key=f"second_factor:{user_id}:{origin.request_id}",
            change="reset_by_support",
            at=now,
            device=agents.within_a_sentence(origin.device),
        )


_DROP_PASSKEYS = Prepared.sql("UPDATE passkey SET removed_at = :now WHERE user_id = :user_id AND removed_at IS NULL")


async def disown(token: str, origin: Origin, *, jobs: Jobs) -> None:
    """ "That was not me": every sign-in ends and a way to a new password goes out. Raises DeadLink."""
    async with transaction():
        found = await tokens.burn(token, Purpose.DISOWN)
        if found is None or found.user_id is None:
            raise DeadLink
        ended = await sessions.revoke_all(found.user_id)
        await staying.forget_all(found.user_id)
        await audit.record(audit.visitor(origin, user_id=found.user_id), Event.SIGN_IN_DISOWNED, ended=ended)
        await jobs.enqueue(
            "sign_in.send_reset",
            key=f"sign_in.send_reset:{found.hash}",
            payload={"user_id": str(found.user_id), "asked_by": "owner"},
            priority=SECURITY,
        )


async def disown_others(identity: Identity) -> None:
    """The same by somebody who is signed in: only this one sign-in goes on, to choose a new password in."""
    async with transaction():
        ended = await sessions.revoke_all(identity.user_id, but=identity.session_id)
        await staying.forget_all(identity.user_id)
        await tokens.kill(identity.user_id, Purpose.CHALLENGE, Purpose.PASSKEY, Purpose.VERIFY_EMAIL)
        await audit.record(identity, Event.SIGN_IN_DISOWNED, ended=ended)


class Posts:
    """The jobs of this feature: what goes out by mail when nobody waits for the answer any more."""

    def __init__(self, messages: Messages):
        self.messages = messages

    async def send_reset(self, job: Job) -> None:
        """One link, the newest; three an hour at most for one person."""
        if job.payload["user_id"] is None:
            return
        user_id = UUID(job.payload["user_id"])
        async with transaction():
            by_lock = job.payload.get("asked_by") is not None
            if by_lock or await limits.allows_here(limits.RESET_BY_USER, str(user_id)):
                await self._link(user_id, job.key)

    async def tell_locked(self, job: Job) -> None:
        """The notice that the door is locked, and a way back in: one of each per lock."""
        if job.payload["user_id"] is None:
            return
        user_id = UUID(job.payload["user_id"])
        now = clock.now()
        async with transaction():
            await self.messages.send_later(
                Message.ACCOUNT_LOCKED,
                to_user=user_id,
                dedupe_key=f"locked:{job.key}",
                at=now,
                until=now + limits.LOCK_FOR,
                failures=limits.LOCK_AFTER,
            )
            await self._link(user_id, job.key)

    async def _link(self, user_id: UUID, key: str) -> None:
        await tokens.kill(user_id, Purpose.RESET)
        token = await tokens.issue(Purpose.RESET, user_id=user_id)
        await self.messages.send_later(
            Message.ACCOUNT_PASSWORD_RESET,
            to_user=user_id,
            dedupe_key=f"reset:{key}",
            until=clock.now() + tokens.LIFE[Purpose.RESET],
            expires_at=clock.now() + tokens.LIFE[Purpose.RESET],
            path=f"/sign-in/reset?token={token}",
        )
