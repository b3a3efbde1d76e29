"""What the worker does for orders."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.jobs.registry import Job, Later, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.portal.orders import orders
from selfcare.portal.orders.order import Order, State
from selfcare.portal.orders.orders import DELIVER
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payment import Purpose
from selfcare.ports.jobs import MONEY

SWEEP = "order.sweep"
HEARD = "order.heard"
_OURS = (Purpose.TOPUP, Purpose.ADDON, Purpose.PLAN)


def add(known: Registry, shop: Shop) -> None:
    async def advance(job: Job) -> None:
        await orders.advance(shop, UUID(job.payload["order_id"]))

    async def refunded(job: Job) -> None:
        await orders.refunded(shop, UUID(job.payload["order_id"]))

    async def deliver(job: Job) -> None:
        order = await orders.advance(shop, UUID(job.payload["order_id"]))
        if order.state in (State.PAID, State.DELIVERING):
            raise Later(_again(order))

    async def heard(job: Job) -> None:
        """What the network did may have been no order."""
        with suppress(NotFound):
            await orders.end_heard(shop, UUID(job.payload["order_id"]))

    async def sweep(_job: Job) -> None:
        """A job that was given up must not be the end of an order."""
        for order_id in await orders.lost():
            key = f"{DELIVER}:{order_id}:{clock.now():%Y%m%d%H}"
            async with transaction():
                await shop.jobs.enqueue(DELIVER, key=key, payload={"order_id": str(order_id)}, priority=MONEY)

    for purpose in _OURS:
        known.add(f"{purpose}.paid", advance, tries=20)
        known.add(f"{purpose}.unpaid", advance, tries=20)
        known.add(f"{purpose}.refunded", refunded, tries=20)
    known.add(DELIVER, deliver, tries=20)
    known.add(HEARD, heard, tries=20)
    known.add(SWEEP, sweep)


def repeat(again: Schedule) -> None:
    again.every(SWEEP, timedelta(minutes=5))


def _again(order: Order) -> datetime:
    """Every few seconds while somebody may be looking, then rarer."""
    now = clock.now()
    age = now - order.created_at
    for young, wait in ((timedelta(minutes=1), 2), (timedelta(minutes=10), 15), (timedelta(hours=1), 60)):
        if age < young:
            return now + timedelta(seconds=wait)
    return now + timedelta(minutes=5)
