"""What the worker does for changes of plan. Also where customers may no longer ask for any: what waits was promised."""

from __future__ import annotations

from datetime import timedelta

from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.kernel import clock
from selfcare.portal.orders.shop import Shop
from selfcare.portal.services.plan import scheduling

CARRY_OUT = "services.change_plans"


def add(known: Registry, shop: Shop) -> None:
    async def carry_out(_job: Job) -> None:
        await scheduling.carry_out_due(shop, clock.now())

    known.add(CARRY_OUT, carry_out)


def repeat(again: Schedule) -> None:
    again.every(CARRY_OUT, timedelta(minutes=1))
