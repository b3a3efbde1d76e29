"""A seeded sample of what `just soak` runs in full, and many payers of one bill at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import ids
from tests.crashes import changing_scenarios, schedules
from tests.crashes.scenarios import SCENARIOS, Case
from tests.crashes.schedules import Schedule
from tests.crashes.world import Server, World
from tests.support import databases, money

SAMPLE, OF_ORDERS, OF_CHANGES, SEED, PAYERS = 9, 4, 2, 20_261_123, 64


@pytest.fixture
async def world_url(templates: databases.Templates, kind: str, tmp_path: Path) -> AsyncIterator[str]:
    async with templates.copy(kind, None, tmp_path) as url:
        yield url


async def test_whenever_the_server_is_killed_money_is_neither_taken_twice_nor_lost(
    world_url: str, tmp_path: Path
) -> None:
    random = Random(SEED)
    bills, orders = (sorted(name for name, each in SCENARIOS.items() if each.buys is buys) for buys in (False, True))
    changes = [name for name in orders if SCENARIOS[name].act.__module__ == changing_scenarios.__name__]
    names = random.sample(bills, SAMPLE - OF_ORDERS - OF_CHANGES)
    names += random.sample([name for name in orders if name not in changes], OF_ORDERS)
    names += random.sample(changes, OF_CHANGES)
    async with World.of(world_url, tmp_path) as world:
        for name in names:
            await schedules.run(world, Schedule(name, random.randint(1, 14), SEED))
        await schedules.check_all()
        # Else nothing of this was tried.
        assert len(world.killed_at()) >= SAMPLE


@asynccontextmanager
async def two_servers(url: str, folder: Path) -> AsyncIterator[tuple[Case, list[Server]]]:
    async with World.of(url, folder) as world:
        both = [await world.serve(), await world.serve()]
        try:
            yield Case(world, await world.customer()), both
        finally:
            for server in both:
                await server.kill()
        await schedules.check_all()


async def test_what_is_pressed_at_two_servers_at_once_is_done_once(world_url: str, tmp_path: Path) -> None:
    """64 payers of one bill; one form of a top-up, and one of an add-on, sent four times each."""
    async with two_servers(world_url, tmp_path) as (case, both):
        await case.world.card(case.customer)
        await case.world.line(case.customer)
        clicks = (case.click(both[n % 2], last4="4242", key=ids.token()) for n in range(PAYERS))
        answers = await asyncio.gather(*clicks)
        assert len(await case.world.things("payment_intent", case.customer)) == 1
        assert await money.remaining(case.customer.bills[0]) == 0
        assert sum("refused" not in answer for answer in answers) == 1
        for number, buy in enumerate((case.buy, case.add), 2):
            key = ids.token()
            answers = await asyncio.gather(*(buy(both[n % 2], key=key) for n in range(4)))
            assert len({answer["order"] for answer in answers}) == 1
            assert len(await case.world.things("payment_intent", case.customer)) == number
        paid = await fetch(PAID.bind(customer_id=case.customer.purse.customer_id))
        assert [row["state"] for row in paid] == ["succeeded"] * 3


PAID = Prepared.sql("SELECT state FROM payment WHERE customer_id = :customer_id")
