"""Orders that put allowance or credit into a service: top-ups, vouchers, what was promised.

`delivers` of such an order: `{"puts": [{"kind", "amount" (null = unlimited), "label", "mode", "scope",
"consume_order", "expires_at" (null = for ever), "currency", "counts_mms", "blocker", "origin", and of what waits for
its first use "waits_for", "lasts_days"}, …]}`
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from selfcare.kernel.money import Money
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import DONE, NEVER_BEGAN, RUNNING, UNKNOWN, Outcome, Result
from selfcare.ports.charging import Charging, Delivery, Put
from selfcare.ports.failures import Declined, Unknown, Unreachable

# Where the product does not say by when it has to be used.
WITHIN_DAYS = 90


@dataclass(frozen=True, slots=True)
class Start:
    """When what is bought begins to run: at once, or with the use it waits for, in so many days or never."""

    waits_for: str | None = None
    within_days: int = WITHIN_DAYS

    @classmethod
    def of_product(cls, row: Mapping[str, Any]) -> Self:
        waits_for = None if row["starts"] == "now" else row["starts"]
        return cls(waits_for, row["start_within_days"] or WITHIN_DAYS)

    def latest(self, now: datetime) -> datetime:
        return now + timedelta(days=self.within_days)


AT_ONCE = Start()


class Allowances:
    """Through the charging port."""

    patience = timedelta(hours=1)

    def __init__(self, charging: Charging) -> None:
        self._charging = charging

    async def deliver(self, order: Order) -> Outcome:
        delivery = delivery_of(order)
        if not delivery.puts and order.delivers.get("repays"):
            # All of it paid back what was lent.
            return DONE
        return await _answered(self._put_in(delivery))

    async def _put_in(self, delivery: Delivery) -> None:
        # An answer may have been lost the last time.
        if not await self._charging.was_applied(delivery):
            await self._charging.credit(delivery)

    async def look(self, order: Order) -> Outcome:
        if not order.delivers["puts"] and order.delivers.get("repays"):
            return DONE
        try:
            there = await self._charging.was_applied(delivery_of(order))
        except (Unreachable, Unknown):
            return UNKNOWN
        return DONE if there else NEVER_BEGAN

    async def take_back(self, order: Order) -> Outcome:
        delivery = delivery_of(order)
        return await _answered(self._charging.take_back(delivery)) if delivery.puts else DONE


async def _answered(asked: Awaitable[None]) -> Outcome:
    try:
        await asked
    except Declined as refused:
        return Outcome(Result.FAILED, refused.message)
    except Unreachable:
        return RUNNING
    except Unknown:
        return UNKNOWN
    return DONE


def frozen(
    grants: Iterable[Mapping[str, Any]],
    currency: str,
    *,
    now: datetime,
    amount: Money | None = None,
    origin: str = "topup",
    start: Start = AT_ONCE,
) -> list[dict[str, Any]]:
    """What a product's grants put in when it is bought now, credit in the currency of its price. `amount` is the credit
    of a product with a free amount."""
    return [_frozen(grant, currency, now, amount, origin) | _waiting(grant, start, now) for grant in grants]


def _waiting(grant: Mapping[str, Any], start: Start, now: datetime) -> dict[str, Any]:
    """What has no length of its own starts at once."""
    if start.waits_for is None or not grant.get("lifetime_days"):
        return {}
    ends = start.latest(now).isoformat()
    return {"waits_for": start.waits_for, "lasts_days": grant["lifetime_days"], "expires_at": ends}


def _frozen(
    grant: Mapping[str, Any], currency: str, now: datetime, amount: Money | None, origin: str
) -> dict[str, Any]:
    days = grant.get("lifetime_days")
    is_money = grant["kind"] == "money"
    return {
        "kind": grant["kind"],
        "amount": amount.minor if is_money and amount is not None else grant["amount"],
        "label": grant["label"],
        "origin": origin,
        "mode": grant.get("mode", "add"),
        "scope": grant.get("scope", "any"),
        "consume_order": grant.get("consume_order", 2),
        "expires_at": (now + timedelta(days=days)).isoformat() if days else None,
        "currency": grant.get("currency") or (currency if is_money else None),
        "counts_mms": grant.get("counts_mms", False),
        "blocker": grant.get("blocker", False),
    }


def delivery_of(order: Order) -> Delivery:
    assert order.service_id is not None
    puts = tuple(_put(one) for one in order.delivers["puts"])
    return Delivery(order_id=order.id, customer_id=order.service_owner, service_id=order.service_id, puts=puts)


def _put(one: Mapping[str, Any]) -> Put:
    ends = one["expires_at"]
    return Put(**{**one, "expires_at": datetime.fromisoformat(ends) if ends else None})
