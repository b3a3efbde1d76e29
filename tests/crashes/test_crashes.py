"""A seeded sample of what `just soak` runs in full, and many payers of one bill at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import ids
from tests.crashes import schedules
from tests.crashes.scenarios import SCENARIOS, Case
from tests.crashes.schedules import Schedule
from tests.crashes.world import World
from tests.support import databases, money

SAMPLE, OF_ORDERS, SEED, PAYERS = 8, 4, 20_261_123, 64


@pytest.fixture
async def world_url(templates: databases.Templates, kind: str, tmp_path: Path) -> AsyncIterator[str]:
    async with templates.copy(kind, None, tmp_path) as url:
        yield url


async def test_whenever_the_server_is_killed_money_is_neither_taken_twice_nor_lost(
    world_url: str, tmp_path: Path
) -> None:
    random = Random(SEED)
    bills, orders = (sorted(name for name, each in SCENARIOS.items() if each.buys is buys) for buys in (False, True))
    names = random.sample(bills, SAMPLE - OF_ORDERS) + random.sample(orders, OF_ORDERS)
    async with World.of(world_url, tmp_path) as world:
        for name in names:
            await schedules.run(world, Schedule(name, random.randint(1, 14), SEED))
        await schedules.check_all()
        # Else nothing of this was tried.
        assert len(world.killed_at()) >= SAMPLE


async def test_sixty_four_payers_of_one_bill_on_two_processes_are_one_payment(world_url: str, tmp_path: Path) -> None:
    async with World.of(world_url, tmp_path) as world:
        case = Case(world, await world.customer())
        await world.card(case.customer)
        both = [await world.serve(), await world.serve()]
        try:
            clicks = (case.click(both[n % 2], last4="4242", key=ids.token()) for n in range(PAYERS))
            answers = await asyncio.gather(*clicks)
        finally:
            for server in both:
                await server.kill()
        assert len(await world.things("payment_intent", case.customer)) == 1
        assert await money.remaining(case.customer.bills[0]) == 0
        assert sum("refused" not in answer for answer in answers) == 1
        paid = await fetch(PAID.bind(customer_id=case.customer.purse.customer_id))
        assert [row["state"] for row in paid] == ["succeeded"]
        await schedules.check_all()


PAID = Prepared.sql("SELECT state FROM payment WHERE customer_id = :customer_id")
