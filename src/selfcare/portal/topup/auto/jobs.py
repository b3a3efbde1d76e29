"""What the worker does about automatic top-up."""

from __future__ import annotations

from datetime import time, timedelta
from uuid import UUID

from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.portal.orders.shop import Shop
from selfcare.portal.topup.auto import topping
from selfcare.portal.topup.auto.rules import CHECK

SWEEP = "topup.auto_sweep"


def add(known: Registry, shop: Shop, zone: str) -> None:
    async def check(job: Job) -> None:
        await topping.check(shop, UUID(job.payload["service"]), zone)

    async def sweep(_job: Job) -> None:
        await topping.sweep(shop, zone)

    async def forget_old(_job: Job) -> None:
        await topping.forget_old()

    known.add(CHECK, check)
    known.add(SWEEP, sweep)
    known.add("topup.auto_forget", forget_old)


def repeat(again: Schedule, zone: str) -> None:
    again.every(SWEEP, timedelta(minutes=5))
    again.daily("topup.auto_forget", at=time(3, 35), zone=zone)
