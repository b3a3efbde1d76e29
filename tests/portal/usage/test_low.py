"""What ran low is told once, and again only after something was put in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.app import Application
from selfcare.db.engine import Database
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.jobs.registry import Job, Registry
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.portal.usage import low
from selfcare.ports.charging import MAY_BE_LOW, Delivery, Put, Use
from tests.support.lines import Owner, a_customer, a_line
from tests.support.site import NOW

GB = 10**9
TOLD = Prepared.sql("SELECT payload FROM job WHERE kind = :kind ORDER BY id")


class Line:
    """A line with a meter and somebody who follows it."""

    def __init__(self, owner: Owner, id: UUID) -> None:
        self.owner, self.id, self.jobs = owner, id, EmbeddedJobs()
        self.meter = EmbeddedCharging(self.jobs)
        self.heard: list[tuple[str, str, int]] = []
        self.registry = Registry()
        self.registry.add(MAY_BE_LOW, low.Watch(self.meter, self.jobs).look)
        self.registry.add(low.TELL, low.tell([self.hear]))

    async def hear(self, one: low.Low) -> None:
        assert (one.customer_id, one.service_id) == (self.owner.customer_id, self.id)
        self.heard.append((one.kind, one.level, one.left))

    async def put(self, kind: str, amount: int | None, **more: Any) -> None:
        clock.travel_by(timedelta(seconds=1))
        put = Put(kind=kind, amount=amount, label="Some", currency="GBP" if kind == "money" else None, **more)
        await self.meter.credit(
            Delivery(order_id=new_id(), customer_id=self.owner.customer_id, service_id=self.id, puts=(put,))
        )

    async def use(self, kind: str, *amounts: int, cost: int = 0) -> list[tuple[str, str, int]]:
        """What was told after these."""
        clock.travel_by(timedelta(seconds=1))
        uses = [
            Use(
                id=str(uuid4()),
                service=str(self.id),
                kind=kind,
                amount=amount,
                at=clock.now(),
                cost_minor=cost,
                currency="GBP",
            )
            for amount in amounts
        ]
        assert (await self.meter.take(uses)).counted == len(uses)
        return await self.catch_up()

    async def catch_up(self) -> list[tuple[str, str, int]]:
        self.heard.clear()
        clock.travel_by(timedelta(seconds=10))
        await self.jobs.drain(self.registry)
        return self.heard


@pytest.fixture
async def line(database: Database) -> Line:
    with clock.frozen(NOW):
        owner = await a_customer()
        return Line(owner, await a_line(owner))


@pytest.fixture(autouse=True)
def noon() -> Any:
    with clock.frozen(NOW):
        yield


@pytest.mark.parametrize(
    ("what", "use", "whole", "until_low"),
    [
        ("data", "data", 10 * GB, 9 * GB),
        ("voice", "call", 6000, 5400),
        ("sms", "sms", 100, 90),
    ],
)
async def test_a_tenth_left_is_low(line: Line, what: str, use: str, whole: int, until_low: int) -> None:
    await line.put(what, whole)
    assert await line.use(use, until_low - 1) == []
    assert await line.use(use, 1) == [(what, "low", whole - until_low)]


async def test_two_pounds_of_credit_are_low(line: Line) -> None:
    await line.put("money", 1000)
    assert await line.use("call", 60, cost=799) == []
    assert await line.use("call", 60, cost=1) == [("money", "low", 200)]


async def test_it_is_told_once(line: Line) -> None:
    await line.put("data", 10 * GB)
    assert len(await line.use("data", 9 * GB + 1)) == 1
    assert await line.use("data", 1000, 1000) == []


async def test_used_up_is_told_once_more(line: Line) -> None:
    await line.put("data", 10 * GB)
    await line.use("data", 9 * GB + 1)
    assert await line.use("data", GB) == [("data", "used_up", 0)]
    assert await line.use("data", GB) == []


async def test_all_at_once_is_told_as_used_up_only(line: Line) -> None:
    await line.put("data", GB)
    assert await line.use("data", GB // 2, GB) == [("data", "used_up", 0)]


async def test_a_topup_makes_it_worth_telling_again(line: Line) -> None:
    await line.put("data", 10 * GB)
    await line.use("data", 9 * GB + 1)
    await line.put("data", 10 * GB)
    assert await line.use("data", 8 * GB) == []
    assert await line.use("data", GB) == [("data", "low", 2 * GB - 1)]


async def test_the_end_of_what_was_put_in_last_does_not_tell_it_again(line: Line) -> None:
    await line.put("data", 10 * GB)
    await line.put("data", GB, consume_order=1, expires_at=clock.now() + timedelta(hours=1))
    assert await line.use("data", 10 * GB) == [("data", "low", GB)]
    clock.travel_by(timedelta(hours=2))
    assert await line.use("data", 1) == []


async def test_what_ended_unused_counts_at_the_next_use(line: Line) -> None:
    """No use crossed the line, the calendar did."""
    await line.put("data", GB)
    await line.put("data", 100 * GB, expires_at=clock.now() + timedelta(hours=1), consume_order=3)
    assert await line.use("data", 950_000_000) == []
    clock.travel_by(timedelta(hours=2))
    assert await line.use("data", 1) == [("data", "low", 49_999_999)]


async def test_abroad_does_not_hide_that_home_is_low(line: Line) -> None:
    await line.put("data", 10 * GB)
    await line.put("data", 100 * GB, scope="roaming")
    assert await line.use("data", 9 * GB) == [("data", "low", GB)]


async def test_unlimited_is_never_low(line: Line) -> None:
    await line.put("data", None)
    assert await line.use("data", 900 * GB) == []


async def test_a_count_that_was_repeated_tells_nothing(line: Line) -> None:
    await line.put("sms", 10)
    use = Use(id="once", service=str(line.id), kind="sms", amount=9, at=clock.now())
    await line.meter.take([use])
    assert len(await line.catch_up()) == 1
    await line.meter.take([use])
    assert await line.catch_up() == []


async def test_others_look_at_the_same_lines_by_rules_of_their_own(line: Line) -> None:
    seen: list[list[UUID]] = []

    async def look(ids: list[UUID]) -> None:
        seen.append(ids)

    known = Registry()
    known.add(MAY_BE_LOW, low.Watch(line.meter, line.jobs, [look]).look)
    line.registry.become(known)
    await line.put("money", 5000)
    await line.use("call", 60, cost=10)
    assert seen == [[line.id]]


async def test_the_worker_asks_nothing_that_the_meter_does_not_say(app: Application) -> None:
    """With all that looks at low lines in this portal."""
    at = clock.now()
    use = Use(id="x", service=str(people.ASHA_MOBILE), kind="data", amount=19 * GB, at=at, currency="GBP")
    await app.ports.charging.take([use, replace(use, id="y", amount=5 * GB, cost_minor=900)])
    clock.travel_by(timedelta(seconds=10))
    await app.catch_up()
    kinds = {low.Low.of(json.loads(job["payload"])).kind for job in await fetch(TOLD.bind(kind=low.TELL))}
    assert {"data", "money"} <= kinds


async def test_a_follower_that_fails_is_asked_again(line: Line) -> None:
    asked: list[str] = []

    async def fails_first(one: low.Low) -> None:
        asked.append(one.kind)
        if len(asked) == 1:
            raise RuntimeError("away")

    await line.put("sms", 10)
    line.registry.become(_with(line, fails_first))
    with pytest.raises(RuntimeError):
        await line.use("sms", 9)
    clock.travel_by(timedelta(minutes=1))
    assert await line.catch_up() == [("sms", "low", 1)]
    assert asked == ["sms", "sms"]


async def test_many_counts_make_one_job(line: Line) -> None:
    await line.put("sms", 100)
    clock.travel_to(NOW + timedelta(minutes=1))
    for _ in range(20):
        await line.meter.take(
            [Use(id=str(uuid4()), service=str(line.id), kind="sms", amount=5, at=clock.now(), currency="GBP")]
        )
    assert len(await fetch(TOLD.bind(kind=MAY_BE_LOW))) == 1
    assert await line.catch_up() == [("sms", "used_up", 0)]
    assert await line.meter.thin() == []


async def test_what_is_used_while_it_is_looked_at_is_looked_at_again(line: Line) -> None:
    await line.put("sms", 10)
    use = Use(id="one", service=str(line.id), kind="sms", amount=6, at=clock.now())
    await line.meter.take([use])
    seen = await line.meter.thin()
    clock.travel_by(timedelta(seconds=1))
    await line.meter.take([replace(use, id="two", amount=1)])
    await line.meter.looked_at(seen)
    assert [each.service_id for each in await line.meter.thin()] == [line.id]


async def test_the_feed_of_the_portal_tells_it(line: Line) -> None:
    """Also while nobody follows."""
    await line.put("sms", 10)
    await line.use("sms", 9)
    (job,) = await fetch(TOLD.bind(kind=low.TELL))
    assert low.Low.of(json.loads(job["payload"])).left == 1


def _with(line: Line, follower: low.Follower) -> Registry:
    known = Registry()

    async def hear(job: Job) -> None:
        await low.tell([follower, line.hear])(job)

    known.add(MAY_BE_LOW, low.Watch(line.meter, line.jobs).look)
    known.add(low.TELL, hear)
    return known
