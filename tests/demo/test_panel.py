from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people, turning
from selfcare.demo.catalogue import LARK_20
from selfcare.demo.renewals import Renewals, present_period
from selfcare.kernel import clock
from selfcare.ports.charging import Asked
from tests.pages import check
from tests.support.browser import Browser
from tests.support.lines import Owner
from tests.support.site import NOW

SERVICE = Prepared.sql("SELECT ends_at, renews, state FROM service WHERE id = :id")
CHARGES = Prepared.sql(
    "SELECT amount_minor + tax_minor AS gross FROM billing_transaction WHERE service_id = :id AND at >= :since"
)


async def test_the_panel_tells_who_there_is_and_what_time_it_is(app: Application, visitor: Browser) -> None:
    page = await visitor.open("/demo")
    assert "It is 22 Nov 2026, 12:00." in page.text
    assert all(who.email in page.text for who in people.EVERYBODY)
    assert people.PASSWORD in page.text
    assert check.problems(page, lambda _path: True) == []


@pytest.mark.parametrize(
    ("step", "then"),
    [
        ("hour", NOW + timedelta(hours=1)),
        ("day", NOW + timedelta(days=1)),
        ("week", NOW + timedelta(days=7)),
        ("month", datetime(2026, 12, 22, 12, tzinfo=UTC)),
    ],
)
async def test_a_step_turns_the_clock_and_nobody_is_signed_out(
    app: Application, asha: Browser, step: str, then: datetime
) -> None:
    csrf = await asha.csrf("/demo")
    answer = await asha.post("/demo/clock", {"csrf": csrf, "step": step})
    assert (answer.status, clock.now()) == (200, then)
    assert (await asha.open("/")).heading != "Sign in"


async def test_a_typed_time_is_the_operators(app: Application, visitor: Browser) -> None:
    page = await visitor.open("/demo")
    await page.submit("clock", on="2027-07-01", at="09:30")
    assert clock.now() == datetime(2027, 7, 1, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("on", "at", "field", "message"),
    [
        ("2026-11-21", "09:30", "on", "only goes forward"),
        ("2026-11-22", "12:00", "on", "only goes forward"),
        ("9999-12-31", "09:30", "on", "only goes forward"),
        ("tomorrow", "09:30", "on", "Enter a date like"),
        ("2027-07-01", "25:00", "at", "Enter a time like"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_and_kept(
    app: Application, visitor: Browser, on: str, at: str, field: str, message: str
) -> None:
    page = await (await visitor.open("/demo")).submit("clock", on=on, at=at)
    assert page.status == 422
    assert message in page.error(field)
    assert (page.field("on").value, page.field("at").value) == (on, at)
    assert clock.now() == NOW


async def test_what_is_used_on_the_panel_is_counted(app: Application, visitor: Browser) -> None:
    page = await visitor.open("/demo")
    page = await page.submit("use", service=str(people.ASHA_MOBILE), what="text", times="3")
    assert "A text × 3 on Asha Patel: Mobile - +44 7700 900123 was counted." in page.text
    records = await app.ports.charging.records(Owner(people.PATEL.id), Asked(service_ids=[people.ASHA_MOBILE]), limit=3)
    assert [record.kind for record in records.records] == ["sms"] * 3


@pytest.mark.parametrize(
    ("field", "value"), [("service", str(people.CHIDI_SUSPENDED)), ("what", "war"), ("times", "21"), ("times", "-1")]
)
async def test_what_cannot_be_used_is_refused(app: Application, visitor: Browser, field: str, value: str) -> None:
    page = await (await visitor.open("/demo")).submit("use", **{field: value})
    assert page.status == 422
    assert page.error(field)


async def test_a_renewing_service_begins_a_new_period_once(app: Application, asha: Browser) -> None:
    renewals = Renewals(app.ports.charging)
    (before,) = await fetch(SERVICE.bind(id=people.ASHA_MOBILE))
    clock.travel_to(before["ends_at"] + timedelta(minutes=1))
    assert await renewals.renew(clock.now()) >= 1
    assert await renewals.renew(clock.now()) == 0
    (after,) = await fetch(SERVICE.bind(id=people.ASHA_MOBILE))
    assert (after["ends_at"] - before["ends_at"]).days in (28, 29, 30, 31)
    buckets = (await app.ports.charging.balances(Owner(people.PATEL.id))).of(people.ASHA_MOBILE)
    (plan,) = [bucket for bucket in buckets if bucket.kind == "data" and bucket.origin == "plan"]
    assert (plan.remaining, plan.consumed) == (20 * 10**9, 0)
    assert [row["gross"] for row in await fetch(CHARGES.bind(id=people.ASHA_MOBILE, since=before["ends_at"]))] == [
        LARK_20.price
    ]


async def test_a_service_that_does_not_renew_is_left_alone(app: Application) -> None:
    clock.travel_by(timedelta(days=40))
    await Renewals(app.ports.charging).renew(clock.now())
    (service,) = await fetch(SERVICE.bind(id=people.ASHA_INTERNET))
    assert service["ends_at"] < clock.now()


def test_months_slept_through_end_in_the_present_one() -> None:
    ended = datetime(2027, 1, 31, tzinfo=UTC)
    start, until = present_period(ended, "Europe/London", datetime(2027, 4, 2, 12, tzinfo=UTC))
    assert start == datetime(2027, 3, 30, 23, tzinfo=UTC)
    assert until == datetime(2027, 4, 29, 23, tzinfo=UTC)


def test_the_next_start_goes_on_where_the_clock_was(tmp_path: Path) -> None:
    with clock.frozen(NOW):
        clock.travel_by(timedelta(days=3))
        turning.keep(tmp_path)
        was = clock.offset()
    try:
        turning.take_up(tmp_path)
        assert abs(clock.offset() - was) < timedelta(seconds=5)
    finally:
        clock.reset()
