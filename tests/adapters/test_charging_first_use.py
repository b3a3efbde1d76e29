"""What waits for its first use: nothing starts it but that, and then everything of its order, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from selfcare.adapters.charging_crediting import check
from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.db.engine import Database
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import FIRST_USE, FIRST_USE_ABROAD, Bucket, Delivery, Put, Use
from selfcare.ports.failures import Declined
from tests.adapters import runners
from tests.support import databases
from tests.support.lines import a_customer, a_line

BOUGHT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
LONG_STOP = BOUGHT + 90 * DAY
ABROAD = Put(
    kind="data",
    amount=3_000,
    label="World",
    waits_for=FIRST_USE_ABROAD,
    lasts_days=7,
    expires_at=LONG_STOP,
    consume_order=1,
)
MINUTES = Put(kind="voice", amount=600, label="World", waits_for=FIRST_USE_ABROAD, lasts_days=7, expires_at=LONG_STOP)
HOME = Put(kind="data", amount=5_000, label="Plan", consume_order=2)


class Phone:
    def __init__(self, owner: Any, line: UUID) -> None:
        self.owner, self.line, self.meter, self.sent = owner, line, EmbeddedCharging(), 0

    async def put(self, *puts: Put) -> None:
        await self.meter.credit(
            Delivery(order_id=new_id(), customer_id=self.owner.customer_id, service_id=self.line, puts=puts)
        )

    def used(self, amount: int, at: datetime, class_: str = "roaming", kind: str = "data") -> Use:
        self.sent += 1
        return Use(
            id=f"{self.line}-{self.sent}", service=str(self.line), kind=kind, amount=amount, at=at, class_=class_
        )

    async def use(self, *uses: Use) -> None:
        assert (await self.meter.take(uses)).counted == len(uses)

    async def buckets(self) -> dict[tuple[str, str], Bucket]:
        found = (await self.meter.balances(self.owner, [self.line])).of(self.line)
        return {(bucket.label, bucket.kind): bucket for bucket in found}


@pytest.fixture
async def phone(database: Database) -> Phone:
    with clock.frozen(BOUGHT):
        owner = await a_customer()
        return Phone(owner, await a_line(owner))


async def test_use_at_home_takes_nothing_of_it_and_use_abroad_starts_it(phone: Phone) -> None:
    with clock.frozen(BOUGHT):
        await phone.put(ABROAD, MINUTES)
        await phone.put(HOME)
    left = BOUGHT + timedelta(days=10)
    with clock.frozen(left + timedelta(minutes=1)):
        await phone.use(phone.used(100, BOUGHT + timedelta(days=1), "off_net"))
        waiting = (await phone.buckets())["World", "data"]
        assert (waiting.remaining, waiting.waits_for, waiting.expires_at) == (3_000, FIRST_USE_ABROAD, LONG_STOP)
        await phone.use(phone.used(200, left))
        started = await phone.buckets()
    data, voice, plan = started["World", "data"], started["World", "voice"], started["Plan", "data"]
    assert (data.remaining, data.waits_for, data.expires_at) == (2_800, None, left + WEEK)
    # The minutes came with it and run with it.
    assert (voice.remaining, voice.waits_for, voice.expires_at) == (600, None, left + WEEK)
    assert plan.remaining == 4_900


async def test_the_first_that_is_counted_starts_it_and_no_later_one(phone: Phone) -> None:
    with clock.frozen(BOUGHT):
        await phone.put(ABROAD)
    first = BOUGHT + timedelta(days=3)
    with clock.frozen(first + timedelta(days=8)):
        uses = [phone.used(100, first), phone.used(100, first + timedelta(days=6)), phone.used(100, first + WEEK)]
        await phone.use(*uses)
        data = (await phone.buckets())["World", "data"]
    assert (data.remaining, data.expires_at) == (2_800, first + WEEK)


async def test_what_is_never_used_ends_unused_on_its_last_day(phone: Phone) -> None:
    with clock.frozen(BOUGHT):
        await phone.put(ABROAD)
    with clock.frozen(LONG_STOP + timedelta(hours=1)):
        await phone.use(phone.used(100, LONG_STOP))
        data = (await phone.buckets())["World", "data"]
        assert (data.remaining, data.has_ended(clock.now()), data.waits_for) == (3_000, True, FIRST_USE_ABROAD)
        # A record that comes late is of a use that came in time.
        await phone.use(phone.used(100, LONG_STOP - timedelta(minutes=1)))
        data = (await phone.buckets())["World", "data"]
        assert (data.remaining, data.waits_for) == (2_900, None)


async def test_two_processes_that_use_it_at_once_start_it_once(database_url: str) -> None:
    now = clock.now()
    texts = Put(kind="sms", amount=100, label="Texts", waits_for=FIRST_USE, lasts_days=7, expires_at=now + 90 * DAY)
    async with databases.opened(database_url):
        with clock.frozen(now - DAY):
            owner = await a_customer()
            phone = Phone(owner, await a_line(owner))
            await phone.put(texts)
    await runners.together(database_url, str(phone.line))
    async with databases.opened(database_url):
        (bucket,) = (await phone.buckets()).values()
        assert (bucket.remaining, bucket.waits_for) == (44, None)
        assert bucket.expires_at == now.replace(minute=0, second=0, microsecond=0) + WEEK


async def test_a_use_from_before_it_was_bought_does_not_start_it(phone: Phone) -> None:
    with clock.frozen(BOUGHT):
        await phone.put(ABROAD)
        await phone.use(phone.used(100, BOUGHT - timedelta(days=1)))
        assert (await phone.buckets())["World", "data"].remaining == 3_000


async def test_two_of_the_same_wait_each_for_itself(phone: Phone) -> None:
    only = Put(kind="data", amount=100, label="Day", waits_for=FIRST_USE, lasts_days=1, expires_at=LONG_STOP)
    with clock.frozen(BOUGHT):
        await phone.put(only)
        await phone.put(only)
        await phone.use(phone.used(60, BOUGHT, "off_net"))
        found = (await phone.meter.balances(phone.owner, [phone.line])).of(phone.line)
    assert sorted((b.remaining, b.waits_for or "") for b in found) == [(40, ""), (100, FIRST_USE)]


def test_what_waits_needs_a_length_and_a_last_day() -> None:
    bad = Put(kind="data", amount=1, label="x", waits_for=FIRST_USE, lasts_days=7)
    delivery = Delivery(order_id=new_id(), customer_id=new_id(), service_id=new_id(), puts=(bad,))
    with pytest.raises(Declined):
        check(delivery, "GBP", BOUGHT)
