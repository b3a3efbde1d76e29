"""Help with a sign-in: unlock it, send a way to a new password, end sign-ins, take a lost second step off.

Nobody of staff ever chooses or sees a password or code. Each act has a reason, which stands in the customer's log.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, fetch_one
from selfcare.identity import limits, sessions, tokens
from selfcare.identity.identity import Identity
from selfcare.identity.rights import StaffRight
from selfcare.identity.tokens import Purpose
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed, NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.activity import support
from selfcare.portal.sign_in import sign_ins, staying
from selfcare.ports.jobs import SECURITY
from selfcare.ports.ports import Ports
from selfcare.staff.customers import queries

_PERSON = Prepared.sql(
    """
    SELECT u.id AS id, u.display_name AS name, u.email AS email, u.email_verified_at AS email_verified_at,
           u.disabled_at AS disabled_at, u.password_changed_at AS password_changed_at,
           CASE WHEN u.totp_secret IS NULL THEN 0 ELSE 1 END AS has_app,
           CASE WHEN u.staff_rights IS NULL THEN 0 ELSE 1 END AS is_staff,
           (SELECT count(*) FROM passkey p WHERE p.user_id = u.id AND p.removed_at IS NULL) AS passkeys,
           (SELECT count(*) FROM session s
             WHERE s.user_id = u.id AND s.revoked_at IS NULL AND s.ends_at > :now) AS sign_ins
      FROM app_user u JOIN membership m ON m.user_id = u.id AND m.customer_id = :customer_id
                                        AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
     WHERE u.id = :user_id
    """
)


class Act(StrEnum):
    UNLOCK = "unlock"
    SEND_RESET = "send_reset"
    END_SIGN_INS = "end_sign_ins"
    RESET_SECOND_STEP = "reset_second_step"


RIGHTS = {
    Act.UNLOCK: StaffRight.UNLOCK_USER,
    Act.SEND_RESET: StaffRight.UNLOCK_USER,
    Act.END_SIGN_INS: StaffRight.UNLOCK_USER,
    Act.RESET_SECOND_STEP: StaffRight.RESET_SECOND_FACTOR,
}
# How staff made sure who it is, besides the support code.
CHECKS = ("documents", "call_back", "shop")


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    name: str
    email: str
    email_verified_at: datetime | None
    disabled_at: datetime | None
    password_changed_at: datetime | None
    has_app: bool
    is_staff: bool
    passkeys: int
    sign_ins: int
    locked_until: datetime | None

    @property
    def has_second_step(self) -> bool:
        return self.has_app or self.passkeys > 0


async def get(customer_id: UUID, user_id: UUID) -> Person:
    """Raises NotFound for who is not of this customer, and for staff: they are helped by an administrator."""
    row = await _row(customer_id, user_id)
    locked = await limits.locked_until(sign_ins.normal_email(row["email"]))
    row |= {"has_app": bool(row["has_app"]), "is_staff": bool(row["is_staff"]), "locked_until": locked}
    return Person(**row)


def acts_of(identity: Identity, person: Person) -> list[Act]:
    """What this staff member may do for this person now."""
    possible = {
        Act.UNLOCK: True,
        Act.SEND_RESET: person.disabled_at is None,
        Act.END_SIGN_INS: True,
        Act.RESET_SECOND_STEP: person.has_second_step and person.email_verified_at is not None,
    }
    return [act for act in Act if possible[act] and identity.can(RIGHTS[act])]


async def do(
    identity: Identity, customer_id: UUID, user_id: UUID, act: Act, reason: str, check: str, *, ports: Ports
) -> None:
    """Raises NotFound, NotAllowed, Rejected."""
    person = await get(customer_id, user_id)
    if not identity.can(RIGHTS[act]):
        raise NotAllowed(_("Your rights do not allow this."))
    if act not in acts_of(identity, person):
        raise Rejected(_("That is not possible for this person now."), "act")
    who = queries.of_customer(identity, customer_id, user_id)
    proved = await support.proved(identity.actor_id, user_id, customer_id)
    if act is Act.RESET_SECOND_STEP and not proved and check not in CHECKS:
        raise Rejected(_("Say how you made sure who it is."), "check")
    async with transaction():
        if act is Act.UNLOCK:
            await limits.unlock(sign_ins.normal_email(person.email))
            await audit.record(who, Event.STAFF_USER_UNLOCKED, about=user_id, reason=reason)
        elif act is Act.SEND_RESET:
            await ports.jobs.enqueue(
                "sign_in.send_reset",
                key=f"sign_in.send_reset:staff:{identity.origin.request_id}",
                payload={"user_id": str(user_id), "asked_by": "staff"},
                priority=SECURITY,
            )
            await audit.record(who, Event.STAFF_RESET_SENT, about=user_id, reason=reason)
        elif act is Act.END_SIGN_INS:
            ended = await sessions.revoke_all(user_id)
            await staying.forget_all(user_id)
            await audit.record(who, Event.STAFF_SIGN_INS_ENDED, about=user_id, reason=reason, count=ended)
        else:
            await _offer_reset(who, person, reason, "support_code" if proved else check, ports)


async def _offer_reset(who: audit.Actor, person: Person, reason: str, check: str, ports: Ports) -> None:
    """A link to the person's own address: whoever persuaded support still needs that mailbox, within 15 minutes."""
    await tokens.kill(person.id, Purpose.RESET_SECOND_FACTOR)
    token = await tokens.issue(Purpose.RESET_SECOND_FACTOR, user_id=person.id)
    until = clock.now() + tokens.LIFE[Purpose.RESET_SECOND_FACTOR]
    await ports.messages.send_later(
        Message.ACCOUNT_SECOND_FACTOR_RESET,
        to_user=person.id,
        dedupe_key=f"second_factor_reset:{who.origin.request_id}",
        expires_at=until,
        until=until,
        path=f"/sign-in/second-step?token={token}",
    )
    await audit.record(who, Event.STAFF_SECOND_FACTOR_RESET, about=person.id, reason=reason, check=check)


async def _row(customer_id: UUID, user_id: UUID) -> Row:
    row = await fetch_one(_PERSON.bind(customer_id=customer_id, user_id=user_id, now=clock.now()))
    if row is None or row["is_staff"]:
        raise NotFound
    return row
