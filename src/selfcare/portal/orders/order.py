"""An order as everybody may read it, and the states it goes through.

open → paid → delivering → delivered
open → canceled                              nothing was taken
delivering → refund_due → refunded           it definitely failed, or its money came too late
delivering → failed                          it definitely failed and had cost nothing
delivering → review → any of the above       nobody knows: a person looks

The parts of a bundle are orders with a `parent_id`: they wait in `open` until it is paid, and have no payment of their
own. The bundle itself is delivering until each part has ended; see `orders.parts`, and `orders.undoing` for those that
are all or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch, fetch_many, fetch_one
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money


class Kind(StrEnum):
    TOPUP = "topup"
    ADDON = "addon"
    PLAN = "plan"
    CHANGE = "change"
    BUNDLE = "bundle"
    VOUCHER = "voucher"
    PROMISE = "promise"


class State(StrEnum):
    OPEN = "open"
    PAID = "paid"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FAILED = "failed"
    REFUND_DUE = "refund_due"
    REFUNDED = "refunded"
    REVIEW = "review"
    CANCELED = "canceled"


# Somebody still has to do something about it.
UNDER_WAY = frozenset({State.OPEN, State.PAID, State.DELIVERING, State.REFUND_DUE, State.REVIEW})
# It may still come.
COMING = frozenset({State.OPEN, State.PAID, State.DELIVERING, State.REVIEW})


class Scope(Protocol):
    @property
    def customer_id(self) -> UUID: ...
    @property
    def service_ids(self) -> frozenset[UUID] | None: ...
    def covers(self, service_id: UUID, /) -> bool: ...


@dataclass(frozen=True, slots=True)
class Step:
    state: State
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """`price` includes tax. `service_owner` is whose service it is for. `delivers` was frozen when it was asked for."""

    id: UUID
    customer_id: UUID
    kind: Kind
    reference: str
    request_key: str
    name: str
    service_id: UUID | None
    owner_id: UUID | None
    beneficiary: str | None
    product_id: UUID | None
    product_version: int | None
    parent_id: UUID | None
    price: Money
    tax_permille: int
    delivers: Mapping[str, Any]
    auto: bool
    payment_id: UUID | None
    state: State
    problem: str | None
    asked_by: UUID | None
    created_at: datetime
    changed_at: datetime
    deadline_at: datetime | None
    lease_until: datetime | None
    delivered_at: datetime | None
    arrived_at: datetime | None
    undo_at: datetime | None
    undo_tries: int
    steps: tuple[Step, ...] = ()

    @property
    def service_owner(self) -> UUID:
        return self.owner_id or self.customer_id

    @property
    def short_name(self) -> str:
        """Of a part of a bundle without the bundle's name."""
        return str(self.delivers.get("part") or self.name)

    @property
    def refunds_all(self) -> bool:
        """Of a bundle: it is all or nothing."""
        return bool(self.delivers.get("refunds_all"))

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def is_coming(self) -> bool:
        return self.state in COMING

    @property
    def tax(self) -> Money:
        """What of the price is tax."""
        return self.price.tax_inside(self.tax_permille)


COLUMNS = (
    *("id", "customer_id", "kind", "reference", "request_key", "name", "service_id", "owner_id", "beneficiary"),
    *("product_id", "product_version", "parent_id", "price_minor", "currency", "tax_permille", "delivers", "auto"),
    *("payment_id", "state", "problem", "asked_by", "created_at", "changed_at", "deadline_at", "lease_until"),
    *("delivered_at", "arrived_at", "undo_at", "undo_tries"),
)
SELECT = f"SELECT {', '.join(COLUMNS)} FROM purchase_order"
ONE = Prepared.sql(f"{SELECT} WHERE id = :id")
OF_CUSTOMER = Prepared.sql(f"{SELECT} WHERE customer_id = :customer_id AND id = :id")
STEPS = Prepared.sql("SELECT state, at FROM order_step WHERE order_id = :id ORDER BY at, id")
BY_KEY = Prepared.sql(f"{SELECT} WHERE customer_id = :customer_id AND request_key = :key")
LATEST = Prepared.sql(
    f"""
    {SELECT} WHERE customer_id = :customer_id AND created_at < :before AND parent_id IS NULL
     ORDER BY created_at DESC, id DESC LIMIT :most
    """
)
# As `_may_see` says it of one.
LATEST_SEEN = Prepared.sql(
    f"""
    {SELECT} WHERE customer_id = :customer_id AND created_at < :before AND parent_id IS NULL
       AND CASE WHEN kind = 'bundle'
                THEN NOT EXISTS (SELECT 1 FROM purchase_order part
                                  WHERE part.parent_id = purchase_order.id AND part.service_id NOT IN :services)
                ELSE service_id IS NULL OR owner_id IS NOT NULL OR service_id IN :services END
     ORDER BY created_at DESC, id DESC LIMIT :most
    """
)
ON_SERVICE = Prepared.sql(
    f"""
    {SELECT} WHERE customer_id = :customer_id AND service_id = :service_id
       AND state IN ('open', 'paid', 'delivering', 'refund_due', 'review') ORDER BY created_at LIMIT 20
    """
)


def order_of(row: Mapping[str, Any], steps: tuple[Step, ...] = ()) -> Order:
    plain = {name: row[name] for name in COLUMNS if name not in ("price_minor", "currency")}
    plain |= {
        "kind": Kind(row["kind"]),
        "state": State(row["state"]),
        "delivers": json.loads(row["delivers"]),
        "price": Money(row["price_minor"], row["currency"]),
    }
    return Order(**plain, steps=steps)


async def load(order_id: UUID) -> Order:
    """For the system. Raises NotFound."""
    row = await fetch_one(ONE.bind(id=order_id))
    if row is None:
        raise NotFound
    return order_of(row)


async def get(scope: Scope, order_id: UUID) -> Order:
    """With its steps. Raises NotFound for one of somebody else, or for a line this person does not look after."""
    rows, steps = await fetch_many(
        OF_CUSTOMER.bind(customer_id=scope.customer_id, id=order_id), STEPS.bind(id=order_id)
    )
    if not rows or not _may_see(scope, rows[0]):
        raise NotFound
    return order_of(rows[0], tuple(Step(State(step["state"]), step["at"]) for step in steps))


async def steps_of(order_id: UUID) -> list[Step]:
    return [Step(State(step["state"]), step["at"]) for step in await fetch(STEPS.bind(id=order_id))]


async def find_by_request_key(customer_id: UUID, key: str) -> Order | None:
    row = await fetch_one(BY_KEY.bind(customer_id=customer_id, key=key))
    return order_of(row) if row else None


async def latest(scope: Scope, *, before: datetime, most: int = 25) -> list[Order]:
    """The newest first: as many as there are of what this person may see, however much lies between."""
    asked = {"customer_id": scope.customer_id, "before": before, "most": most}
    if scope.service_ids is None:
        return [order_of(row) for row in await fetch(LATEST.bind(**asked))]
    return [order_of(row) for row in await fetch(LATEST_SEEN.bind(**asked, services=scope.service_ids))]


async def under_way(scope: Scope, service_id: UUID) -> list[Order]:
    """What is not finished on this service: it cannot be ended or given away meanwhile."""
    rows = await fetch(ON_SERVICE.bind(customer_id=scope.customer_id, service_id=service_id))
    return [order_of(row) for row in rows if _may_see(scope, row)]


def _may_see(scope: Scope, row: Mapping[str, Any]) -> bool:
    if row["kind"] == Kind.BUNDLE:
        return all(scope.covers(UUID(id)) for id in json.loads(row["delivers"]).get("services", ()))
    return row["service_id"] is None or row["owner_id"] is not None or scope.covers(row["service_id"])
