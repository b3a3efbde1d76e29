"""Orders of days for a service with an end: `delivers` is `{"days": 7}`."""

from __future__ import annotations

from datetime import timedelta

from selfcare.db.engine import transaction
from selfcare.portal.orders.allowances import Allowances
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import DONE, NEVER_BEGAN, Outcome, Result
from selfcare.portal.services import extending


class Topups:
    """Days where the order has days, else allowance or credit."""

    patience = timedelta(hours=1)

    def __init__(self, allowances: Allowances) -> None:
        self._allowances = allowances

    async def deliver(self, order: Order) -> Outcome:
        days = order.delivers.get("days")
        if days is None:
            return await self._allowances.deliver(order)
        assert order.service_id is not None
        async with transaction():
            done = await extending.extend(order.service_id, order.id, int(days))
        return DONE if done else Outcome(Result.FAILED, "The service ended, or goes on by itself.")

    async def look(self, order: Order) -> Outcome:
        if "days" not in order.delivers:
            return await self._allowances.look(order)
        return DONE if await extending.was_extended(order.id) else NEVER_BEGAN

    async def take_back(self, order: Order) -> Outcome:
        if "days" in order.delivers:
            return Outcome(Result.FAILED, "Days that were added stay.")
        return await self._allowances.take_back(order)
