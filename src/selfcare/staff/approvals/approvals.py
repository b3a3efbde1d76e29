"""One person asks, another agrees: who asked never decides, and what is decided is decided once.

Each kind of act asks here and does what follows from a yes itself, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.identity.identity import Identity
from selfcare.identity.rights import StaffRight
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.staff.approvals.tables import StaffApproval
from selfcare.staff.customers import queries

_DECIDE = Prepared.sql(
    """
    UPDATE staff_approval SET decided_by = :who, decided_at = :now, decision = :decision
     WHERE id = :id AND decision IS NULL AND asked_by <> :who AND kind IN :kinds
    RETURNING id, kind, customer_id, about, amount_minor, currency, source, reason, asked_by, to_customer_id, request_id
    """
)
_WAITING = Prepared.sql(
    """
    SELECT a.id AS id, a.kind AS kind, a.amount_minor AS amount_minor, a.currency AS currency, a.reason AS reason,
           a.asked_at AS asked_at, a.asked_by AS asked_by, u.display_name AS asker, c.name AS customer,
           c.number AS number, a.customer_id AS customer_id, p.reference AS reference,
           COALESCE(s.nickname, s.name) AS service, t.name AS new_owner, v.display_name AS person
      FROM staff_approval a JOIN app_user u ON u.id = a.asked_by JOIN customer c ON c.id = a.customer_id
      LEFT JOIN payment p ON p.id = a.about
      LEFT JOIN service s ON s.id = a.about
      LEFT JOIN app_user v ON v.id = a.about
      LEFT JOIN customer t ON t.id = a.to_customer_id
     WHERE a.decision IS NULL AND a.kind IN :kinds ORDER BY a.asked_at, a.id LIMIT 100
    """
)
_SAME = Prepared.sql("SELECT id FROM staff_approval WHERE kind = :kind AND about = :about AND decision IS NULL LIMIT 1")


class Kind(StrEnum):
    REFUND = "refund"
    CREDIT = "credit"
    CHARGE = "charge"
    OUTSIDE = "outside"
    NOTE = "credit_note"
    TRANSFER = "transfer"
    VISIT = "visit"


# Who may agree to it is who may do it.
RIGHT_FOR = {
    Kind.REFUND: StaffRight.REFUND_PAYMENT,
    Kind.CREDIT: StaffRight.REFUND_PAYMENT,
    Kind.CHARGE: StaffRight.REFUND_PAYMENT,
    Kind.OUTSIDE: StaffRight.REFUND_PAYMENT,
    Kind.NOTE: StaffRight.REFUND_PAYMENT,
    Kind.TRANSFER: StaffRight.EDIT_CUSTOMER,
    Kind.VISIT: StaffRight.CAN_IMPERSONATE,
}
MONEY = frozenset({Kind.REFUND, Kind.CREDIT, Kind.CHARGE, Kind.OUTSIDE, Kind.NOTE})


@dataclass(frozen=True, slots=True)
class Decided:
    """What was asked, in the transaction that says yes or no."""

    id: UUID
    kind: Kind
    customer_id: UUID
    about: UUID | None
    amount: Money | None
    source: str | None
    reason: str
    asked_by: UUID
    to_customer_id: UUID | None
    request_id: UUID | None


@dataclass(frozen=True, slots=True)
class Waiting:
    id: UUID
    kind: Kind
    amount: Money | None
    reason: str
    asked_at: datetime
    asked_by: UUID
    asker: str
    customer_id: UUID
    customer: str
    number: str
    reference: str | None
    service: str | None
    new_owner: str | None
    person: str | None

    @property
    def words(self) -> str:
        return {
            Kind.REFUND: _("Give back"),
            Kind.CREDIT: _("Credit"),
            Kind.CHARGE: _("Charge"),
            Kind.OUTSIDE: _("Given back outside"),
            Kind.NOTE: _("Credit note"),
            Kind.TRANSFER: _("Transfer a service"),
            Kind.VISIT: _("Look without asking first"),
        }[self.kind]


async def ask(
    who: audit.Actor,
    kind: Kind,
    reason: str,
    *,
    amount: Money | None = None,
    about: UUID | None = None,
    source: str | None = None,
    to_customer_id: UUID | None = None,
    request_id: UUID | None = None,
) -> UUID:
    """Inside a transaction."""
    approval_id = ids.new_id()
    await StaffApproval.insert(
        StaffApproval(
            id=approval_id,
            kind=kind.value,
            customer_id=who.customer_id,
            about=about,
            amount_minor=amount.minor if amount else None,
            currency=amount.currency if amount else None,
            source=source,
            reason=reason,
            asked_by=who.actor_id,
            asked_at=clock.now(),
            to_customer_id=to_customer_id,
            request_id=request_id,
        )
    )
    await audit.record(
        who,
        Event.STAFF_APPROVAL_ASKED,
        about=approval_id,
        kind=kind.value,
        amount_minor=amount.minor if amount else None,
        currency=amount.currency if amount else None,
        reason=reason,
    )
    return approval_id


async def is_asked(kind: Kind, about: UUID) -> bool:
    return bool(await fetch(_SAME.bind(kind=kind.value, about=about)))


async def decide(staff: Identity, approval_id: UUID, kinds: Collection[Kind], *, yes: bool) -> Decided:
    """Inside a transaction, by somebody else than who asked. Raises Conflict."""
    decision = "yes" if yes else "no"
    rows = await execute(
        _DECIDE.bind(
            id=approval_id,
            who=staff.actor_id,
            now=clock.now(),
            decision=decision,
            kinds=sorted(kind.value for kind in kinds),
        )
    )
    if not rows:
        raise Conflict(_("Somebody decided already, or you asked for it yourself."))
    row = rows[0]
    who = queries.of_customer(staff, row["customer_id"])
    await audit.record(who, Event.STAFF_APPROVAL_DECIDED, about=approval_id, decision=decision)
    return Decided(kind=Kind(row.pop("kind")), amount=_amount(row), **row)


async def waiting(kinds: Collection[Kind]) -> list[Waiting]:
    """The oldest first."""
    rows = await fetch(_WAITING.bind(kinds=sorted(kind.value for kind in kinds)), short=True)
    return [Waiting(kind=Kind(row.pop("kind")), amount=_amount(row), **row) for row in rows]


def _amount(row: dict[str, Any]) -> Money | None:
    minor, currency = row.pop("amount_minor"), row.pop("currency")
    return None if minor is None else Money(minor, currency)
