"""Ends of allowances and days of charts where calendars are awkward: clock changes, leap days, ends of months."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.db.engine import Database
from selfcare.demo.renewals import present_period
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import Asked, Delivery, Put, Use
from tests.support.lines import a_customer, a_line

MB = 10**6


def first_instant(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("last_day", "zone"),
    [
        (date(2026, 3, 28), "Europe/London"),
        (date(2026, 3, 29), "Europe/London"),
        (date(2026, 10, 24), "Europe/London"),
        (date(2026, 10, 25), "Europe/London"),
        (date(2028, 2, 28), "Europe/London"),
        (date(2028, 2, 29), "Europe/London"),
        (date(2027, 2, 28), "Pacific/Auckland"),
        (date(2026, 12, 31), "Pacific/Kiritimati"),
        (date(2026, 4, 30), "America/St_Johns"),
    ],
)
async def test_an_allowance_lasts_to_the_last_second_of_its_last_day_and_no_longer(
    database: Database, last_day: date, zone: str
) -> None:
    end = first_instant(last_day + timedelta(days=1), zone)
    charging = EmbeddedCharging()
    with clock.frozen(end - timedelta(days=3)):
        owner = await a_customer()
        line = await a_line(owner)
        put = Put(kind="data", amount=100 * MB, label="Data", expires_at=end)
        await charging.credit(Delivery(order_id=new_id(), customer_id=owner.customer_id, service_id=line, puts=(put,)))
    with clock.frozen(end + timedelta(hours=2)):
        uses = [
            Use(id=f"u{n}", service=str(line), kind="data", amount=MB, at=end + timedelta(seconds=n))
            for n in (-3601, -1, 0, 3600)
        ]
        assert (await charging.take(uses)).counted == 4
        found = (await charging.records(owner, Asked(), limit=10)).records
        paid = {record.started_at: bool(record.parts) for record in found}
        assert [paid[use.at] for use in uses] == [True, True, False, False]
        (bucket,) = (await charging.balances(owner, [line])).of(line)
        assert bucket.remaining == 98 * MB
        assert bucket.has_ended(clock.now())


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 29), "Europe/London", 23),
        (date(2026, 10, 25), "Europe/London", 25),
        (date(2028, 2, 29), "Europe/London", 24),
        (date(2026, 4, 5), "Pacific/Auckland", 25),
        (date(2026, 10, 4), "Australia/Lord_Howe", 24),
    ],
)
async def test_a_day_of_the_chart_is_a_day_of_the_customers_clock(
    database: Database, day: date, zone: str, hours: int
) -> None:
    """One megabyte in every hour from the day before to the day after: each day holds as many as it has hours."""
    begin = first_instant(day - timedelta(days=1), zone)
    end = first_instant(day + timedelta(days=2), zone)
    owner = await a_customer()
    line = await a_line(owner)
    charging = EmbeddedCharging()
    with clock.frozen(end + timedelta(hours=1)):
        uses, at = [], begin
        while at < end:
            uses.append(Use(id=at.isoformat(), service=str(line), kind="data", amount=MB, at=at))
            at += timedelta(hours=1)
        await charging.take(uses)
        days = await charging.history(owner, Asked(since=begin, until=end), zone=zone)
    used = {one.day: one.bytes // MB for one in days}
    assert sum(used.values()) == len(uses)
    assert used[day] in (hours, hours + 1) if "Lord_Howe" in zone else used[day] == hours


@pytest.mark.parametrize(
    ("ended", "now", "until"),
    [
        (date(2026, 1, 31), date(2026, 2, 1), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 1), date(2028, 2, 29)),
        (date(2026, 12, 31), date(2027, 1, 3), date(2027, 1, 31)),
        (date(2026, 3, 29), date(2026, 3, 30), date(2026, 4, 29)),
        (date(2026, 8, 31), date(2026, 11, 15), date(2026, 11, 30)),
    ],
)
def test_a_new_period_ends_on_the_same_day_or_the_last_of_the_month(ended: date, now: date, until: date) -> None:
    zone = "Europe/London"
    start, end = present_period(first_instant(ended, zone), zone, first_instant(now, zone))
    assert start <= first_instant(now, zone) < end
    assert end == first_instant(until, zone)
