"""Orders that put allowance or credit into a service: top-ups, vouchers, what was promised.

`delivers` of such an order: `{"puts": [{"kind", "amount" (null = unlimited), "label", "mode", "scope",
"consume_order", "expires_at" (null = for ever), "currency", "counts_mms", "blocker", "origin"}, …]}`
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from selfcare.kernel.money import Money
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import DONE, RUNNING, UNKNOWN, Outcome, Result
from selfcare.ports.charging import Charging, Delivery, Put
from selfcare.ports.failures import Declined, Unknown, Unreachable


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
        try:
            # An answer may have been lost the last time.
            if await self._charging.was_applied(delivery):
                return DONE
            await self._charging.credit(delivery)
        except Declined as refused:
            return Outcome(Result.FAILED, refused.message)
        except Unreachable:
            return RUNNING
        except Unknown:
            return UNKNOWN
        return DONE

    async def look(self, order: Order) -> Outcome:
        if not order.delivers["puts"] and order.delivers.get("repays"):
            return DONE
        try:
            there = await self._charging.was_applied(delivery_of(order))
        except (Unreachable, Unknown):
            return UNKNOWN
        return DONE if there else Outcome(Result.FAILED)


def frozen(
    grants: Iterable[Mapping[str, Any]],
    currency: str,
    *,
    now: datetime,
    amount: Money | None = None,
    origin: str = "topup",
) -> list[dict[str, Any]]:
    """What a product's grants put in when it is bought now, credit in the currency of its price. `amount` is the credit
    of a product with a free amount."""
    return [_frozen(grant, currency, now, amount, origin) for grant in grants]


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
