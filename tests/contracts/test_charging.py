"""What every adapter of the Charging port promises. The engine is a fake written from documented shapes; with
CGRATES_URL set the same promises are asked of a live one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from piccolo.engine.exceptions import TransactionError

from selfcare.adapters.cgrates_wire import Engine as Wire
from selfcare.adapters.cgrates_words import TYPE_OF, Dialect
from selfcare.adapters.charging_cgrates import CgratesCharging
from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.db.engine import Database, transaction
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import Asked, Bucket, Charging, Delivery, Put, Use, rank
from selfcare.ports.failures import Declined
from tests.support import cgrates
from tests.support.lines import Owner, a_customer, a_line

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GB = 10**9
TO_USE = {"data": "data", "voice": "call", "sms": "sms", "mms": "mms"}
LIVE = os.environ.get("CGRATES_URL", "")


class Embedded:
    name = "embedded"

    def __init__(self) -> None:
        self.charging: Charging = EmbeddedCharging()
        self.uses = 0

    async def open(self, service: UUID) -> None:
        """The service is all it needs."""

    async def use(self, service: UUID, kind: str, amount: int) -> None:
        self.uses += 1
        use = Use(id=f"u{self.uses}", service=str(service), kind=TO_USE[kind], amount=amount, at=clock.now())
        await self.charging.take([use])


class Fake:
    name = "cgrates"

    def __init__(self, engine: cgrates.Engine) -> None:
        self.engine = engine
        self.adapter = CgratesCharging(Wire(engine.url, read_seconds=2), Dialect(), fresh=timedelta(0))
        self.charging: Charging = self.adapter

    async def open(self, service: UUID) -> None:
        self.engine.open_account(f"acc-{service}")

    async def use(self, service: UUID, kind: str, amount: int) -> None:
        account, type_ = f"acc-{service}", TYPE_OF[kind]
        unit = 10**9 if kind == "voice" else 1
        self.engine.use(account, type_, amount * unit)
        usage = f"{amount}s" if kind == "voice" else str(amount)
        self.engine.record(account, ToR=type_, Usage=usage, Category=TO_USE[kind])


class Live(Fake):
    """A real engine knows its accounts by SetAccount, and uses by DebitBalance with the balance's ID left open."""

    name = "live"

    def __init__(self) -> None:
        self.adapter = CgratesCharging(Wire(LIVE), Dialect(), fresh=timedelta(0))
        self.charging = self.adapter

    async def open(self, service: UUID) -> None:
        await self._ask("APIerSv2.SetAccount", {"Tenant": "cgrates.org", "Account": f"acc-{service}"})

    async def use(self, service: UUID, kind: str, amount: int) -> None:
        unit = 10**9 if kind == "voice" else 1
        question = {"Tenant": "cgrates.org", "Account": f"acc-{service}", "BalanceType": TYPE_OF[kind]}
        await self._ask("APIerSv1.DebitBalance", question | {"Value": amount * unit})

    async def _ask(self, method: str, question: dict[str, Any]) -> None:
        async with httpx.AsyncClient() as client:
            said = (await client.post(LIVE, json={"method": method, "params": [question], "id": 1})).json()
        assert said["error"] is None, said


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(NOON):
        yield


@pytest.fixture(
    params=[
        "embedded",
        "cgrates",
        pytest.param("live", marks=pytest.mark.skipif(not LIVE, reason="CGRATES_URL names no engine")),
    ]
)
async def system(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Embedded | Fake]:
    if request.param == "embedded":
        yield Embedded()
    elif request.param == "live":
        yield Live()
    else:
        async with cgrates.serving(cgrates.Engine()) as engine:
            fake = Fake(engine)
            yield fake
            await fake.adapter.close()


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await a_customer()


@pytest.fixture
async def line(system: Embedded | Fake, owner: Owner) -> UUID:
    service = await a_line(owner)
    await system.open(service)
    return service


def delivery(owner: Owner, line: UUID, *puts: Put, order: UUID | None = None) -> Delivery:
    return Delivery(order_id=order or new_id(), customer_id=owner.customer_id, service_id=line, puts=puts)


async def buckets(system: Embedded | Fake, owner: Owner) -> list[Bucket]:
    # Each look is later than the one before.
    clock.travel_by(timedelta(seconds=1))
    found = (await system.charging.balances(owner)).buckets
    return rank(found, clock.now())


async def test_the_lower_order_is_used_first_over_three_buckets(
    system: Embedded | Fake, owner: Owner, line: UUID
) -> None:
    puts = [Put(kind="data", amount=GB, label=label, consume_order=n) for label, n in (("Plan", 3), ("Bonus", 1))]
    await system.charging.credit(delivery(owner, line, *puts))
    await system.charging.credit(delivery(owner, line, Put(kind="data", amount=GB, label="Top-up", consume_order=2)))
    assert [bucket.label for bucket in await buckets(system, owner)] == ["Bonus", "Top-up", "Plan"]
    await system.use(line, "data", GB + GB // 2)
    assert [bucket.remaining for bucket in await buckets(system, owner)] == [0, GB // 2, GB]


@pytest.mark.parametrize(
    ("what", "amount", "used"), [("data", 5 * GB, GB + 1), ("voice", 3600, 61), ("sms", 100, 7), ("mms", 10, 1)]
)
async def test_amounts_come_back_to_the_unit(
    system: Embedded | Fake, owner: Owner, line: UUID, what: str, amount: int, used: int
) -> None:
    await system.charging.credit(delivery(owner, line, Put(kind=what, amount=amount, label="Some")))
    (before,) = await buckets(system, owner)
    assert (before.kind, before.remaining, before.granted, before.consumed) == (what, amount, amount, 0)
    await system.use(line, what, used)
    (after,) = await buckets(system, owner)
    assert (after.remaining, after.granted, after.consumed) == (amount - used, amount, used)


async def test_money_is_exact_in_minor_units(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    for minor in (1005, 1, 29):
        put = Put(
            kind="money", amount=minor, label=f"Credit {minor}", currency="GBP", expires_at=NOON + timedelta(days=1)
        )
        await system.charging.credit(delivery(owner, line, put))
    found = await buckets(system, owner)
    assert sorted(bucket.remaining for bucket in found) == [1, 29, 1005]
    assert {bucket.currency for bucket in found} == {"GBP"}


async def test_the_same_order_twice_is_one_order(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    order = delivery(owner, line, Put(kind="data", amount=GB, label="Top-up"), Put(kind="sms", amount=5, label="Texts"))
    assert not await system.charging.was_applied(order)
    await system.charging.credit(order)
    await system.charging.credit(order)
    assert await system.charging.was_applied(order)
    assert sorted(bucket.remaining for bucket in await buckets(system, owner)) == [5, GB]


async def test_an_order_that_was_used_up_is_not_done_again(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    ends = clock.now() + timedelta(days=1)
    order = delivery(owner, line, Put(kind="data", amount=GB, label="Top-up", expires_at=ends))
    await system.charging.credit(order)
    await system.use(line, "data", GB)
    assert await system.charging.was_applied(order)
    await system.charging.credit(order)
    assert sum(bucket.remaining for bucket in await buckets(system, owner)) == 0


async def test_what_was_put_in_is_taken_back_once_and_nothing_else(
    system: Embedded | Fake, owner: Owner, line: UUID
) -> None:
    ends = clock.now() + timedelta(days=1)
    kept = delivery(owner, line, Put(kind="data", amount=GB, label="Top-up", expires_at=ends))
    order = delivery(
        owner,
        line,
        Put(kind="data", amount=2 * GB, label="Top-up", expires_at=ends),
        Put(kind="money", amount=1005, label="Credit", currency="GBP"),
    )
    await system.charging.take_back(order)
    await system.charging.credit(kept)
    await system.charging.credit(order)
    for _again in range(2):
        await system.charging.take_back(order)
        assert [bucket.remaining for bucket in await buckets(system, owner) if not bucket.disabled] == [GB]
    # Whoever was still about to put it in finds that it was.
    await system.charging.credit(order)
    assert sum(bucket.remaining for bucket in await buckets(system, owner)) == GB


@pytest.mark.parametrize("used", [1, GB])
async def test_what_was_used_is_not_taken_back_and_neither_is_the_rest(
    system: Embedded | Fake, owner: Owner, line: UUID, used: int
) -> None:
    order = delivery(owner, line, Put(kind="sms", amount=5, label="Texts"), Put(kind="data", amount=GB, label="Top-up"))
    await system.charging.credit(order)
    await system.use(line, "data", used)
    with pytest.raises(Declined):
        await system.charging.take_back(order)
    assert sum(bucket.remaining for bucket in await buckets(system, owner)) == 5 + GB - used


async def test_what_took_the_place_of_something_is_not_taken_back(
    system: Embedded | Fake, owner: Owner, line: UUID
) -> None:
    for _n in range(2):
        put = Put(kind="data", amount=GB, label="Plan", origin="plan", mode="reset")
        order = delivery(owner, line, put)
        await system.charging.credit(order)
        clock.travel_by(timedelta(seconds=1))
    with pytest.raises(Declined):
        await system.charging.take_back(order)


async def test_resetting_replaces_what_is_left(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    def plan(ends: timedelta) -> Put:
        return Put(kind="data", amount=10 * GB, label="Plan", origin="plan", mode="reset", expires_at=NOON + ends)

    await system.charging.credit(delivery(owner, line, plan(timedelta(days=30))))
    await system.use(line, "data", 4 * GB)
    clock.travel_by(timedelta(minutes=1))
    await system.charging.credit(delivery(owner, line, plan(timedelta(days=60))))
    live = await buckets(system, owner)
    assert [(bucket.remaining, bucket.expires_at) for bucket in live] == [(10 * GB, NOON + timedelta(days=60))]


async def test_what_never_ends_has_no_end(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    await system.charging.credit(delivery(owner, line, Put(kind="data", amount=GB, label="For ever")))
    (bucket,) = await buckets(system, owner)
    assert bucket.expires_at is None


async def test_what_ended_is_no_more_in_the_queue_but_still_told(
    system: Embedded | Fake, owner: Owner, line: UUID
) -> None:
    ends = NOON + timedelta(hours=1)
    await system.charging.credit(delivery(owner, line, Put(kind="data", amount=GB, label="Short", expires_at=ends)))
    assert len(await buckets(system, owner)) == 1
    clock.travel_to(ends)
    assert await buckets(system, owner) == []
    (bucket,) = (await system.charging.balances(owner)).buckets
    assert (bucket.has_ended(clock.now()), bucket.remaining) == (True, GB)


async def test_a_fresh_service_has_nothing(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    answer = await system.charging.balances(owner, [line])
    assert (answer.buckets, answer.stale) == ((), False)
    assert (await system.charging.records(owner, Asked())).records == ()
    history = Asked(since=NOON - timedelta(days=30), until=NOON)
    assert await system.charging.history(owner, history, zone="Europe/London") == []
    assert await system.charging.plan(owner, line) is None


async def test_an_unknown_service_is_declined(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    put = Put(kind="data", amount=GB, label="Top-up")
    with pytest.raises(Declined):
        await system.charging.credit(delivery(owner, new_id(), put))
    with pytest.raises(Declined):
        await system.charging.credit(delivery(Owner(new_id()), line, put))


@pytest.mark.parametrize("amount", [0, -5])
async def test_nothing_and_less_than_nothing_are_declined(
    system: Embedded | Fake, owner: Owner, line: UUID, amount: int
) -> None:
    with pytest.raises(Declined):
        await system.charging.credit(delivery(owner, line, Put(kind="data", amount=amount, label="Top-up")))
    assert await buckets(system, owner) == []


async def test_a_stranger_sees_nothing(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    await system.charging.credit(delivery(owner, line, Put(kind="data", amount=GB, label="Top-up")))
    await system.use(line, "data", 5)
    stranger, other_line = Owner(new_id()), Owner(owner.customer_id, frozenset({new_id()}))
    for who in (stranger, other_line):
        assert (await system.charging.balances(who, [line])).buckets == ()
        assert (await system.charging.balances(who)).buckets == ()
        assert (await system.charging.records(who, Asked(service_ids=[line]))).records == ()


async def test_the_revision_changes_with_what_is_left(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    async def look() -> str:
        clock.travel_by(timedelta(seconds=1))
        return await system.charging.revision(owner, [line])

    first = await look()
    assert await look() == first
    await system.charging.credit(delivery(owner, line, Put(kind="data", amount=GB, label="Top-up")))
    second = await look()
    await system.use(line, "data", 5)
    third = await look()
    assert len({first, second, third}) == 3
    assert await look() == third


async def test_a_look_makes_what_was_just_used_show(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    if isinstance(system, Fake):
        system.adapter.fresh = timedelta(hours=1)
    await system.charging.credit(delivery(owner, line, Put(kind="data", amount=GB, label="Top-up")))
    await system.charging.balances(owner)
    await system.use(line, "data", 5)
    clock.travel_by(timedelta(seconds=1))
    await system.charging.look(owner, line)
    (bucket,) = (await system.charging.balances(owner)).buckets
    assert bucket.remaining == GB - 5


async def test_records_come_newest_first_in_pages(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    if isinstance(system, Live):
        pytest.skip("records need a rated call")
    for n in range(7):
        clock.travel_by(timedelta(minutes=1))
        await system.use(line, "voice" if n % 2 else "data", 60 + n)
    seen, after = [], None
    while True:
        page = await system.charging.records(owner, Asked(), after=after, limit=3)
        seen += page.records
        after = page.more
        if after is None:
            break
    assert [record.seconds + record.bytes for record in seen] == [66, 65, 64, 63, 62, 61, 60]
    calls = (await system.charging.records(owner, Asked(kinds=frozenset({"call"})))).records
    assert [record.seconds for record in calls] == [65, 63, 61]
    since = Asked(since=NOON + timedelta(minutes=3), until=NOON + timedelta(minutes=5))
    assert [record.started_at.minute for record in (await system.charging.records(owner, since)).records] == [4, 3]


async def test_days_are_those_of_the_calendar_there(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    if isinstance(system, Live):
        pytest.skip("records need a rated call")
    for at in (datetime(2026, 10, 24, 22, 59, tzinfo=UTC), datetime(2026, 10, 24, 23, 0, tzinfo=UTC)):
        clock.travel_to(at)
        await system.use(line, "data", 10)
    clock.travel_to(datetime(2026, 10, 25, 23, 59, 59, tzinfo=UTC))
    await system.use(line, "data", 100)
    clock.travel_to(datetime(2026, 10, 26, 0, 0, tzinfo=UTC))
    await system.use(line, "data", 1000)
    clock.travel_to(NOON)
    asked = Asked(since=datetime(2026, 10, 1, tzinfo=UTC), until=NOON)
    days = await system.charging.history(owner, asked, zone="Europe/London")
    assert [(day.day.day, day.bytes, day.records) for day in days] == [(24, 10, 1), (25, 110, 2), (26, 1000, 1)]


async def test_nothing_is_put_in_inside_a_transaction(system: Embedded | Fake, owner: Owner, line: UUID) -> None:
    async with transaction():
        with pytest.raises((TransactionError, RuntimeError)):
            await system.charging.credit(delivery(owner, line, Put(kind="data", amount=GB, label="Top-up")))


async def test_it_says_that_it_is_well(system: Embedded | Fake, line: UUID) -> None:
    health = await system.charging.health()
    assert health.ok
    assert health.answered_at is not None
