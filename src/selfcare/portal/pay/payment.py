"""A payment as everybody may read it, and the states it goes through."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch, fetch_many, fetch_one
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money
from selfcare.ports.payments import Why


class State(StrEnum):
    CREATED = "created"
    SUBMITTING = "submitting"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    FAILED = "failed"
    CANCELED = "canceled"
    MANUAL_REVIEW = "manual_review"


# On its way: money may be taken or may not.
OPEN = frozenset({State.CREATED, State.SUBMITTING, State.REQUIRES_ACTION, State.PROCESSING, State.UNKNOWN})
# What the gateway has been asked, or may have been.
ASKED = OPEN - {State.CREATED}
# Money is with us, whatever became of it since.
PAID = frozenset({State.SUCCEEDED, State.REFUND_DUE, State.REFUNDED})


class Purpose(StrEnum):
    INVOICE = "invoice"
    TOPUP = "topup"
    ADDON = "addon"
    PLAN = "plan"
    CREDIT = "credit"


class Tenant(Protocol):
    @property
    def customer_id(self) -> UUID: ...


@dataclass(frozen=True, slots=True)
class Part:
    """One bill or order that is paid. `applied` is what it took in the end, None before that."""

    target: str
    target_id: UUID
    amount: Money
    applied: Money | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """`amount` is asked of the card, `credit` of what the customer has with us."""

    id: UUID
    customer_id: UUID
    purpose: Purpose
    reference: str
    description: str
    request_key: str
    attempt: int
    amount: Money
    credit: Money
    held: Money
    refunded: Money
    state: State
    why: Why | None
    review: str | None
    gateway: str
    customer_ref: str | None
    gateway_ref: str | None
    charge_ref: str | None
    action_url: str | None
    method_id: UUID | None
    card: str | None
    save_card: bool
    off_session: bool
    started_by: UUID | None
    guest_link_id: UUID | None
    created_at: datetime
    submitted_at: datetime | None
    asked_at: datetime | None
    settled_at: datetime | None
    closed_at: datetime | None
    disputed_at: datetime | None
    parts: tuple[Part, ...] = ()

    @property
    def total(self) -> Money:
        """Of a payment that came back after it had failed, only the card's share counts: the credit was given back."""
        return self.amount + (self.held if self.is_paid else self.credit)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def is_paid(self) -> bool:
        return self.state in PAID

    @property
    def is_undecided(self) -> bool:
        """Nothing else may be paid for the same meanwhile."""
        return self.is_open or self.state is State.MANUAL_REVIEW

    @property
    def is_strangers(self) -> bool:
        """It was bought, not owed, by somebody who did not sign in: whoever owns the service had no part in it."""
        return self.guest_link_id is not None and self.purpose is not Purpose.INVOICE

    @property
    def needs_person(self) -> bool:
        return self.state is State.REQUIRES_ACTION and self.action_url is not None

    @property
    def key(self) -> str:
        """By this name the gateway knows the attempt: asked twice, it takes the money once."""
        return f"pay:{self.id}:{self.attempt}"

    @property
    def surplus(self) -> Money:
        """What nothing took in the end: it became the customer's credit."""
        zero = Money.zero(self.amount.currency)
        if not self.is_paid:
            return zero
        return self.total - sum((part.applied or zero for part in self.parts), zero)


COLUMNS = (
    *("id", "customer_id", "purpose", "reference", "description", "request_key", "attempt", "currency"),
    *("amount_minor", "credit_minor", "held_minor", "refunded_minor", "state", "why", "review", "gateway"),
    *("customer_ref", "gateway_ref", "charge_ref", "action_url", "method_id", "card", "save_card", "off_session"),
    *("started_by", "guest_link_id", "created_at", "submitted_at", "asked_at", "settled_at", "closed_at"),
    "disputed_at",
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM payment"


def payment_of(row: dict[str, Any], parts: list[dict[str, Any]] | tuple[()] = ()) -> Payment:
    currency = row["currency"]
    plain = {name: value for name, value in row.items() if not name.endswith("_minor") and name != "currency"}
    return Payment(
        **{
            **plain,
            "purpose": Purpose(row["purpose"]),
            "state": State(row["state"]),
            "why": Why(row["why"]) if row["why"] else None,
            "amount": Money(row["amount_minor"], currency),
            "credit": Money(row["credit_minor"], currency),
            "held": Money(row["held_minor"], currency),
            "refunded": Money(row["refunded_minor"], currency),
            "parts": tuple(_part(part, currency) for part in parts),
        }
    )


def _part(row: dict[str, Any], currency: str) -> Part:
    applied = row["applied_minor"]
    return Part(
        row["target"],
        row["target_id"],
        Money(row["amount_minor"], currency),
        None if applied is None else Money(applied, currency),
    )


async def get(scope: Tenant, payment_id: UUID) -> Payment:
    """NotFound where it is not this customer's."""
    rows, parts = await fetch_many(
        ONE_OF.bind(customer_id=scope.customer_id, id=payment_id), PARTS.bind(payment_id=payment_id)
    )
    if not rows:
        raise NotFound
    return payment_of(rows[0], parts)


async def load(payment_id: UUID) -> Payment:
    """For the machine room: whoever's it is."""
    rows, parts = await fetch_many(ONE.bind(id=payment_id), PARTS.bind(payment_id=payment_id))
    if not rows:
        raise NotFound
    return payment_of(rows[0], parts)


async def find_by_request_key(customer_id: UUID, request_key: str) -> Payment | None:
    """Raises NotFound where somebody else used this key."""
    row = await fetch_one(BY_KEY.bind(request_key=request_key))
    if row is None:
        return None
    if row["customer_id"] != customer_id:
        raise NotFound
    return payment_of(row, await fetch(PARTS.bind(payment_id=row["id"])))


async def find_paid(customer_id: UUID, target_id: UUID) -> UUID | None:
    """The last payment that paid something of it."""
    row = await fetch_one(PAID_FOR.bind(customer_id=customer_id, target_id=target_id))
    return row["payment_id"] if row else None


async def find_open(customer_id: UUID, target_id: UUID) -> Payment | None:
    """The payment that is on its way to this bill or order."""
    row = await fetch_one(OPEN_FOR.bind(customer_id=customer_id, target_id=target_id))
    return payment_of(row, await fetch(PARTS.bind(payment_id=row["id"]))) if row else None


ONE = Prepared.sql(f"{SELECT} WHERE id = :id")
ONE_OF = Prepared.sql(f"{SELECT} WHERE id = :id AND customer_id = :customer_id")
BY_KEY = Prepared.sql(f"{SELECT} WHERE request_key = :request_key")
PAID_FOR = Prepared.sql(
    """
    SELECT payment_id FROM payment_part
    WHERE customer_id = :customer_id AND target_id = :target_id AND applied_minor > 0 ORDER BY id DESC LIMIT 1
    """
)
PARTS = Prepared.sql(
    """
    SELECT target, target_id, amount_minor, applied_minor FROM payment_part
    WHERE payment_id = :payment_id ORDER BY position
    """
)
OPEN_FOR = Prepared.sql(
    f"""
    {SELECT} WHERE customer_id = :customer_id AND id IN (
        SELECT payment_id FROM payment_part
        WHERE customer_id = :customer_id AND target_id = :target_id AND is_open
    )
    """
)
