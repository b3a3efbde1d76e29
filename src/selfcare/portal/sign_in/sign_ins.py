"""Who may come in: address and password become a sign-in, a question for a code, or the same words for everybody."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, fetch_one
from selfcare.identity import limits, passkeys, sessions
from selfcare.identity.identity import Identity
from selfcare.identity.passkeys import Place, Refused, Step
from selfcare.identity.passwords import Passwords
from selfcare.identity.tables import User
from selfcare.kernel.errors import Rejected
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _, ngettext
from selfcare.portal.sign_in import challenges, devices
from selfcare.ports.jobs import SECURITY, Jobs
from selfcare.ports.messages import Messages


class NotSignedIn(Rejected):
    """The one answer to every wrong address, wrong password and disabled person."""


class IsLocked(Rejected):
    """Five wrong passwords for this address, whether or not anybody has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was ticked at the sign-in form, and where to go afterwards."""

    shared_device: bool = False
    remember: bool = False
    next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A new sign-in: the cookie's token, told once. `device` is a new cookie for a phone not seen before."""

    token: str
    user_id: UUID
    staff: bool
    shared_device: bool
    remember: bool
    next: str
    device: str | None = None


@dataclass(frozen=True, slots=True)
class CodeNeeded:
    """The password was right; now the second step. `token` goes into a short-lived cookie."""

    token: str


_BY_EMAIL = Prepared.sql(
    "SELECT id, password_hash, staff_rights, disabled_at FROM app_user WHERE lower(email) = :email",
    types={"staff_rights": as_json},
)
_BY_ID = Prepared.sql(
    "SELECT id, email, display_name, password_hash, staff_rights, disabled_at FROM app_user WHERE id = :user_id",
    types={"staff_rights": as_json},
)


async def enter(
    email: str,
    password: str,
    origin: Origin,
    wishes: Wishes,
    *,
    passwords: Passwords,
    jobs: Jobs,
    messages: Messages,
    session_limits: sessions.Limits,
    device: str | None = None,
    replaces: str | None = None,
) -> Entered | CodeNeeded:
    """Raises NotSignedIn, IsLocked or limits.TooOften, in the same words and time whether or not the address exists."""
    identifier = normal_email(email)
    by_address = limits.network(origin.address)
    await limits.claim(limits.SIGN_IN_BY_ADDRESS, by_address)
    try:
        await limits.claim_password(identifier)
    except limits.Locked as locked:
        raise _locked(locked.minutes) from locked
    user = await find_user(email)
    checked = await passwords.check(user["password_hash"] if user else None, password)
    if user is None or not checked.right or user["disabled_at"] is not None:
        await _failed(identifier, user["id"] if user else None, origin, jobs)
        raise NotSignedIn(_("E-mail or password is wrong."), field="password")
    second = await challenges.second_factors(user["id"])
    async with transaction():
        await limits.unlock(identifier)
        await limits.give_back(limits.SIGN_IN_BY_ADDRESS, by_address)
        if checked.rehashed:
            await User.update({User.password_hash: checked.rehashed}).where(User.id == user["id"])
        if second:
            return CodeNeeded(await challenges.ask(user["id"], wishes=challenges.kept(wishes), device=device))
        return await complete(
            user,
            origin,
            wishes,
            method="password",
            messages=messages,
            session_limits=session_limits,
            device=device,
            replaces=replaces,
        )


async def ask_passkey(origin: Origin, *, place: Place) -> str:
    """What the browser needs to sign somebody in by passkey alone. Raises limits.TooOften."""
    await limits.claim(limits.PASSKEY_BY_ADDRESS, limits.network(origin.address))
    async with transaction():
        return await passkeys.ask(Step.SIGN_IN, None, place=place)


async def enter_by_passkey(
    answer: str,
    origin: Origin,
    wishes: Wishes,
    *,
    place: Place,
    messages: Messages,
    session_limits: sessions.Limits,
    device: str | None = None,
    replaces: str | None = None,
) -> Entered:
    """A passkey is both steps at once: the device, and the finger or PIN that opened it.

    No lock stops it, because it cannot be guessed. Raises NotSignedIn, limits.TooOften.
    """
    by_address = limits.network(origin.address)
    await limits.claim(limits.SIGN_IN_BY_ADDRESS, by_address)
    user_id = None
    try:
        found = await passkeys.check(Step.SIGN_IN, None, answer, place=place)
        user_id = found.user_id
        user = await get_user(user_id)
        if user is None or user["disabled_at"] is not None:
            raise Refused
        async with transaction():
            await passkeys.use(found)
            await limits.give_back(limits.SIGN_IN_BY_ADDRESS, by_address)
            return await complete(
                user,
                origin,
                wishes,
                method="passkey",
                messages=messages,
                session_limits=session_limits,
                device=device,
                replaces=replaces,
            )
    except Refused as refused:
        async with transaction():
            actor = audit.visitor(origin, user_id=user_id)
            await audit.record(actor, Event.SIGN_IN_FAILED, outcome="refused", method="passkey")
        raise NotSignedIn(_("The passkey did not work. Try once more, or sign in with your password.")) from refused


async def complete(
    user: dict[str, Any],
    origin: Origin,
    wishes: Wishes,
    *,
    method: str,
    messages: Messages,
    session_limits: sessions.Limits,
    device: str | None = None,
    replaces: str | None = None,
) -> Entered:
    """Everything was proved: open the sign-in. Inside a transaction."""
    if replaces:
        await sessions.revoke(replaces)
    token = await sessions.open_session(user["id"], origin, limits=session_limits, shared_device=wishes.shared_device)
    new_device = await devices.greet(user["id"], device, origin, messages=messages)
    await audit.record(
        audit.visitor(origin, user_id=user["id"]),
        Event.SIGN_IN_SUCCEEDED,
        method=method,
        new_device=new_device is not None,
    )
    return Entered(
        token=token,
        user_id=user["id"],
        staff=bool(user["staff_rights"]),
        shared_device=wishes.shared_device,
        remember=wishes.remember and not wishes.shared_device and not user["staff_rights"],
        next=wishes.next,
        device=new_device,
    )


async def return_remembered(
    user_id: UUID, origin: Origin, target: str, *, session_limits: sessions.Limits
) -> Entered | None:
    """A phone that keeps its person signed in: a sign-in with nothing proved. In a transaction of its own."""
    user = await get_user(user_id)
    if user is None or user["disabled_at"] is not None or user["staff_rights"]:
        return None
    async with transaction():
        token = await sessions.open_session(user_id, origin, limits=session_limits, proved=False)
        actor = audit.visitor(origin, user_id=user_id)
        await audit.record(actor, Event.SIGN_IN_SUCCEEDED, method="remembered", remembered=True)
    return Entered(token=token, user_id=user_id, staff=False, shared_device=False, remember=False, next=target)


async def leave(identity: Identity) -> None:
    """End this sign-in. Twice is harmless."""
    async with transaction():
        if await sessions.revoke(identity.session_id):
            await audit.record(identity, Event.SIGN_IN_SIGNED_OUT)


async def find_user(email: str) -> dict[str, Any] | None:
    """The person with this address in any spelling, or None."""
    return await fetch_one(_BY_EMAIL.bind(email=normal_email(email)))


async def get_user(user_id: UUID) -> dict[str, Any] | None:
    return await fetch_one(_BY_ID.bind(user_id=user_id))


def normal_email(email: str) -> str:
    return unicodedata.normalize("NFKC", email).strip().casefold()[:254]


async def _failed(identifier: str, user_id: UUID | None, origin: Origin, jobs: Jobs) -> None:
    """Note the failure; the fifth one locks. Known or not, the same statements run, so the time tells nothing."""
    async with transaction():
        failed = await limits.password_failed(identifier)
        actor = audit.visitor(origin, user_id=user_id)
        await audit.record(actor, Event.SIGN_IN_FAILED, outcome="refused", method="password")
        if failed.locked_now:
            await audit.record(actor, Event.SIGN_IN_LOCKED, outcome="refused", until=failed.locked_until)
        if failed.mail:
            # One reset mail and one notice per lock; the job finds out whether anybody is there.
            await jobs.enqueue(
                "sign_in.tell_locked",
                key=f"sign_in.tell_locked:{origin.request_id}",
                payload={"user_id": str(user_id) if user_id else None},
                priority=SECURITY,
            )
    if failed.locked_until is not None:
        raise _locked(int(limits.LOCK_FOR.total_seconds() // 60))


def _locked(minutes: int) -> IsLocked:
    wait = ngettext("Locked for %(n)d minute.", "Locked for %(n)d minutes.", minutes) % {"n": minutes}
    return IsLocked(wait + " " + _("We have sent a mail with a way back in to this address, if we know it."))
