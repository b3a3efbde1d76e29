"""What moving to another plan costs today, and what it puts in. Arithmetic only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.kernel.money import Money
from selfcare.portal.services.plan import allowances
from selfcare.portal.services.plan.proration import Period, period_of, share
from selfcare.ports.charging import Bucket

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LONDON = "Europe/London"
prices = st.integers(0, 10**9)
currencies = st.sampled_from(["JPY", "GBP", "KWD"])


@given(prices, prices, currencies, st.integers(1, 366), st.data(), st.integers(0, 10_000))
def test_the_lines_add_up_and_an_upgrade_never_pays_out(
    old: int, more: int, currency: str, days: int, data: st.DataObject, least: int
) -> None:
    left = data.draw(st.integers(1, days))
    was, new = Money(old, currency), Money(old + more, currency)
    made = share(was, new, Period(NOW, days, left), least=Money(least, currency))
    assert made.due == made.charge + made.credit + made.waived
    assert -old <= made.credit.minor <= 0
    assert 0 <= made.charge.minor <= old + more
    assert made.due.minor == 0 or least <= made.due.minor <= more + 1
    assert abs(made.charge.minor + made.credit.minor - Fraction(more * left, days)) <= 1
    assert made.waived.minor in (0, -(made.charge + made.credit).minor)
    if left == days and more >= least:
        assert made.due.minor == more


@given(st.datetimes(datetime(2024, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC)), st.integers(1, 31 * 24 * 60))
def test_any_moment_of_a_period_has_at_least_today_left_and_at_most_all_of_it(now: datetime, ahead: int) -> None:
    for ends_at in (now + timedelta(minutes=ahead), None):
        period = period_of(ends_at, now, LONDON)
        assert 28 <= period.days <= 31
        assert 1 <= period.left <= 32
        assert period.renews_at > now


@pytest.mark.parametrize(
    ("ends_at", "every", "days", "left"),
    [
        (datetime(2026, 12, 6, tzinfo=UTC), "month", 30, 14),
        (datetime(2026, 12, 5, 23, 59, 59, tzinfo=UTC), "month", 30, 14),
        (datetime(2026, 11, 22, 23, 59, 59, tzinfo=UTC), "month", 31, 1),
        (datetime(2027, 3, 30, 23, tzinfo=UTC), "year", 365, 129),
        (datetime(2026, 11, 25, tzinfo=UTC), "week", 7, 3),
        (None, "month", 30, 9),
    ],
)
def test_days_are_counted_in_the_customers_calendar_today_included(
    ends_at: datetime | None, every: str, days: int, left: int
) -> None:
    period = period_of(ends_at, NOW, LONDON, every=every)
    assert (period.days, period.left) == (days, left)


def test_a_clock_change_takes_no_day() -> None:
    # The last Sunday of October 2026: 25 hours long.
    period = period_of(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 10, 24, 23, 30, tzinfo=UTC), LONDON)
    assert (period.days, period.left) == (31, 7)


def grant(kind: str, amount: int | None, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "amount": amount, "label": f"Plan {kind}", "scope": "any"} | more


def bucket(kind: str, **more: Any) -> Bucket:
    plain: dict[str, Any] = {"remaining": 1, "consume_order": 3, "created_at": NOW, "label": "Its own name"}
    return Bucket(**(plain | {"id": None, "kind": kind, "expires_at": NOW + timedelta(days=3)} | more))


def put_in(old: list[dict[str, Any]], new: list[dict[str, Any]], *held: Bucket) -> list[tuple[Any, ...]]:
    made = allowances.puts(old, new, held, until=NOW + timedelta(days=9), currency="GBP", now=NOW)
    return [(one["kind"], one["amount"], one["mode"], one["label"], one["expires_at"][:10]) for one in made]


def test_what_the_new_plan_gives_more_joins_what_is_left() -> None:
    made = put_in([grant("data", 20), grant("voice", 5)], [grant("data", 60), grant("voice", 5)], bucket("data"))
    assert made == [("data", 40, "add", "Its own name", "2026-11-25")]


def test_what_becomes_unlimited_replaces_what_is_left() -> None:
    assert put_in([grant("data", 20)], [grant("data", None)], bucket("data")) == [
        ("data", None, "reset", "Its own name", "2026-11-25")
    ]


def test_what_the_new_plan_gives_less_is_not_taken_away_before_the_period_ends() -> None:
    assert put_in([grant("data", 20), grant("sms", None)], [grant("data", 10), grant("sms", 5)]) == []


def test_what_only_the_new_plan_has_is_put_in_until_the_period_ends() -> None:
    assert put_in([], [grant("voice", 600)]) == [("voice", 600, "add", "Plan voice", "2026-12-01")]
