"""Support visits as the customer has a say in them: who is looking now, end it, ask me first, never, and the code that
proves to support who calls."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.identity import grants, limits
from selfcare.identity.identity import Identity
from selfcare.identity.rights import Role
from selfcare.identity.tables import SupportCode, SupportQuestion
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages

ASKED_FOR = timedelta(minutes=15)
CODE_LASTS = timedelta(minutes=10)
CODE_TRIES = 3
CODES_BY_USER = limits.Limit("support_code.user", 10, timedelta(hours=1))
CHECKS_BY_STAFF = limits.Limit("support_code.staff", 30, timedelta(hours=1))

WISH = Prepared.sql("SELECT wish FROM support_wish WHERE user_id = :user_id")
_SET_WISH = Prepared.sql(
    """
    INSERT INTO support_wish (user_id, wish, changed_at) VALUES (:user_id, :wish, :now)
    ON CONFLICT (user_id) DO UPDATE SET wish = excluded.wish, changed_at = excluded.changed_at
    """
)
_TAKE_YES = Prepared.sql(
    """
    UPDATE support_question SET used_at = :now
     WHERE staff_user_id = :staff AND user_id = :user_id AND customer_id = :customer_id AND answer = 'yes'
       AND used_at IS NULL AND expires_at > :now RETURNING id
    """
)
_WAITING = Prepared.sql(
    """
    SELECT q.id AS id, q.reason AS reason, q.asked_at AS asked_at, q.expires_at AS expires_at, f.display_name AS staff
      FROM support_question q JOIN app_user f ON f.id = q.staff_user_id
     WHERE q.user_id = :user_id AND q.answered_at IS NULL AND q.expires_at > :now ORDER BY q.asked_at DESC LIMIT 20
    """
)
_ANSWER = Prepared.sql(
    """
    UPDATE support_question SET answered_at = :now, answer = :answer, expires_at = :until
     WHERE id = :id AND user_id = :user_id AND answered_at IS NULL AND expires_at > :now RETURNING id, customer_id
    """
)
_RETIRE = Prepared.sql(
    "UPDATE support_code SET expires_at = :now WHERE user_id = :user_id AND used_at IS NULL AND expires_at > :now"
)
_LIVE_CODES = Prepared.sql(
    """
    SELECT c.id AS id, c.user_id AS user_id, c.code_hash AS code_hash, u.display_name AS name
      FROM support_code c JOIN app_user u ON u.id = c.user_id
     WHERE c.customer_id = :customer_id AND c.used_at IS NULL AND c.expires_at > :now AND c.wrong < :tries
    """
)
_WRONG = Prepared.sql(
    """
    UPDATE support_code SET wrong = wrong + 1
     WHERE customer_id = :customer_id AND used_at IS NULL AND expires_at > :now AND wrong < :tries
    """
)
_USE_CODE = Prepared.sql(
    """
    UPDATE support_code SET used_at = :now, used_by = :staff
     WHERE id = :id AND used_at IS NULL AND expires_at > :now AND wrong < :tries RETURNING user_id
    """
)
_PROVED = Prepared.sql(
    """
    SELECT used_at FROM support_code
     WHERE user_id = :user_id AND customer_id = :customer_id AND used_by = :staff AND used_at > :since
     ORDER BY used_at DESC LIMIT 1
    """
)


class Wish(StrEnum):
    """What a person wants of support that wants to look."""

    ALLOW = "allow"
    ASK = "ask"
    NEVER = "never"


class Consent(StrEnum):
    """What a visit needs now."""

    GIVEN = "given"
    ASK = "ask"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Question:
    id: UUID
    reason: str
    asked_at: datetime
    expires_at: datetime
    staff: str


@dataclass(frozen=True, slots=True)
class Code:
    """Shown once on the page it was made on."""

    digits: str
    until: datetime

    @property
    def spaced(self) -> str:
        return f"{self.digits[:3]} {self.digits[3:]}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whom a support code belongs to."""

    user_id: UUID
    name: str


async def wish_of(user_id: UUID) -> Wish:
    row = await fetch_one(WISH.bind(user_id=user_id))
    return Wish(row["wish"]) if row else Wish.ALLOW


async def set_wish(identity: Identity, wish: Wish) -> None:
    async with transaction():
        await execute(_SET_WISH.bind(user_id=identity.user_id, wish=wish.value, now=clock.now()))
        await audit.record(identity, Event.AS_WISHED, wish=wish.value)


async def visits_now(identity: Identity) -> list[grants.Visit]:
    """Who of support is looking now: at oneself, and for an owner at anybody of the account."""
    found = await grants.list_open_at(identity.customer.customer_id)
    return [visit for visit in found if visit.user_id == identity.user_id or identity.role is Role.OWNER]


async def end(identity: Identity, grant_id: UUID) -> None:
    """At once, in every tab. Raises NotFound for a visit that is not to this person (for owners: to this account)."""
    if all(visit.id != grant_id for visit in await visits_now(identity)):
        raise NotFound
    async with transaction():
        await grants.stop_here(grant_id, "customer", identity.origin, actor_id=identity.user_id)


async def questions(identity: Identity) -> list[Question]:
    rows = await fetch(_WAITING.bind(user_id=identity.user_id, now=clock.now()), short=True)
    return [Question(**row) for row in rows]


async def answer(identity: Identity, question_id: UUID, *, yes: bool) -> None:
    """Raises NotFound where there is no such question, or no longer."""
    now = clock.now()
    async with transaction():
        asked = _ANSWER.bind(
            id=question_id, user_id=identity.user_id, answer="yes" if yes else "no", now=now, until=now + ASKED_FOR
        )
        if not await execute(asked):
            raise NotFound
        await audit.record(identity, Event.AS_ANSWERED, about=question_id, answer="yes" if yes else "no")


async def consent(staff_id: UUID, user_id: UUID, customer_id: UUID) -> Consent:
    """Inside a transaction: a yes is used up by the visit it is for."""
    wish = await wish_of(user_id)
    if wish is Wish.ALLOW:
        return Consent.GIVEN
    if wish is Wish.NEVER:
        return Consent.NEVER
    asked = _TAKE_YES.bind(staff=staff_id, user_id=user_id, customer_id=customer_id, now=clock.now())
    return Consent.GIVEN if await execute(asked) else Consent.ASK


async def ask(who: audit.Actor, reason: str, *, messages: Messages) -> UUID:
    """Inside a transaction: the person is asked on their Activity page and by mail."""
    assert who.actor_id is not None
    assert who.user_id is not None
    assert who.customer_id is not None
    now, question_id = clock.now(), ids.new_id()
    await SupportQuestion.insert(
        SupportQuestion(
            id=question_id,
            staff_user_id=who.actor_id,
            user_id=who.user_id,
            customer_id=who.customer_id,
            reason=reason,
            asked_at=now,
            expires_at=now + ASKED_FOR,
        )
    )
    await audit.record(who, Event.AS_ASKED, about=question_id, reason=reason)
    await messages.send_later(
        Message.SUPPORT_ASKED,
        to_user=who.user_id,
        customer_id=who.customer_id,
        about=question_id,
        dedupe_key=f"support_asked:{question_id}",
        expires_at=now + ASKED_FOR,
        reason=reason,
        until=now + ASKED_FOR,
        path="/activity/support",
    )
    return question_id


async def wants_to_be_asked(user_id: UUID) -> bool:
    return await wish_of(user_id) is Wish.ASK


async def override(who: audit.Actor, for_staff: UUID, reason: str, *, messages: Messages) -> None:
    """Inside a transaction: a yes that two of support gave in the person's place, and the person is told so."""
    assert who.user_id is not None
    assert who.customer_id is not None
    now, question_id = clock.now(), ids.new_id()
    await SupportQuestion.insert(
        SupportQuestion(
            id=question_id,
            staff_user_id=for_staff,
            user_id=who.user_id,
            customer_id=who.customer_id,
            reason=reason,
            asked_at=now,
            expires_at=now + ASKED_FOR,
            answered_at=now,
            answer="yes",
        )
    )
    await audit.record(who, Event.AS_OVERRIDDEN, about=question_id, reason=reason)
    await messages.send_later(
        Message.SUPPORT_OVERRIDDEN,
        to_user=who.user_id,
        customer_id=who.customer_id,
        about=question_id,
        dedupe_key=f"support_overridden:{question_id}",
        reason=reason,
        until=now + ASKED_FOR,
        path="/activity/support",
    )


async def make_code(identity: Identity, *, key: bytes) -> Code:
    """Six digits to read out; the one before dies. Raises limits.TooOften."""
    await limits.claim(CODES_BY_USER, str(identity.user_id))
    now, digits = clock.now(), f"{secrets.randbelow(1_000_000):06}"
    customer_id = identity.customer.customer_id
    async with transaction():
        await execute(_RETIRE.bind(user_id=identity.user_id, now=now))
        await SupportCode.insert(
            SupportCode(
                id=ids.new_id(),
                user_id=identity.user_id,
                customer_id=customer_id,
                code_hash=_hashed(key, customer_id, digits),
                created_at=now,
                expires_at=now + CODE_LASTS,
                wrong=0,
            )
        )
        await audit.record(identity, Event.AS_CODE_MADE)
    return Code(digits, now + CODE_LASTS)


async def check_code(who: audit.Actor, customer_id: UUID, typed: str, *, key: bytes) -> Caller:
    """By staff, for one customer. A right one is used up; the third wrong one ends every code of that customer.

    Raises Rejected, limits.TooOften.
    """
    await limits.claim(CHECKS_BY_STAFF, str(who.actor_id))
    now = clock.now()
    hashed = _hashed(key, customer_id, typed)
    async with transaction():
        row = await _matching(customer_id, hashed, now)
        used = row and await execute(_USE_CODE.bind(id=row["id"], staff=who.actor_id, now=now, tries=CODE_TRIES))
        if not row or not used:
            await execute(_WRONG.bind(customer_id=customer_id, now=now, tries=CODE_TRIES))
            await audit.record(who, Event.AS_CODE_CHECKED, outcome="refused")
        else:
            of_caller = audit.Actor(who.actor_id, row["user_id"], None, customer_id, who.origin)
            await audit.record(of_caller, Event.AS_CODE_CHECKED, about=row["user_id"])
    if not row or not used:
        raise Rejected(_("That is not a code of this customer, or it is used or too old."), "code")
    return Caller(row["user_id"], row["name"])


async def use_code(who: audit.Actor, customer_id: UUID, user_id: UUID, typed: str, *, key: bytes) -> None:
    """As consent for one person: somebody else's code is no consent."""
    caller = await check_code(who, customer_id, typed, key=key)
    if caller.user_id != user_id:
        raise Rejected(_("That code is of somebody else in this account."), "code")


async def proved(staff_id: UUID | None, user_id: UUID, customer_id: UUID) -> bool:
    """Whether this caller proved to this staff member who they are, in the last 15 minutes."""
    since = clock.now() - ASKED_FOR
    asked = _PROVED.bind(user_id=user_id, customer_id=customer_id, staff=staff_id, since=since)
    return await fetch_one(asked) is not None


async def _matching(customer_id: UUID, hashed: str, now: datetime) -> Row | None:
    rows = await fetch(_LIVE_CODES.bind(customer_id=customer_id, now=now, tries=CODE_TRIES))
    return next((row for row in rows if hmac.compare_digest(row["code_hash"], hashed)), None)


def _hashed(key: bytes, customer_id: UUID, digits: str) -> str:
    return hmac.digest(key, f"support_code\x00{customer_id}\x00{digits}".encode(), hashlib.sha256).hex()
