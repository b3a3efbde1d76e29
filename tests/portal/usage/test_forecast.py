"""How long it lasts at this pace."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.portal.usage.forecast import Forecast, Outlook, Tank, TooEarly, TooUneven, forecast, with_more

SUNDAY = date(2026, 11, 22)
DAY = timedelta(days=1)


def same_every_day(amount: int, days: int = 14, today: date = SUNDAY) -> dict[date, int]:
    return {today - n * DAY: amount for n in range(1, days + 1)}


def seen(outlook: object) -> Forecast:
    assert isinstance(outlook, Forecast), outlook
    return outlook


def test_at_a_steady_pace_it_ends_about_when_left_divided_by_pace_says() -> None:
    outlook = seen(forecast(same_every_day(100), [Tank(1_000)], today=SUNDAY))
    assert outlook.outlook is Outlook.ENDS
    assert outlook.earliest == SUNDAY + 9 * DAY
    assert outlook.latest == SUNDAY + 10 * DAY
    assert outlook.per_day == 100


def test_it_lasts_when_the_period_ends_first() -> None:
    outlook = seen(forecast(same_every_day(100), [Tank(1_000)], today=SUNDAY, last_day=SUNDAY + 5 * DAY))
    assert outlook.outlook is Outlook.LASTS
    assert outlook.earliest is None


def test_between_fast_and_slow_it_may_end() -> None:
    outlook = seen(forecast(same_every_day(100), [Tank(1_000)], today=SUNDAY, last_day=SUNDAY + 9 * DAY))
    assert outlook.outlook is Outlook.MAY_END
    assert (outlook.earliest, outlook.latest) == (SUNDAY + 9 * DAY, None)


def test_weekends_count_as_weekends() -> None:
    monday, saturday = date(2026, 11, 23), date(2026, 11, 28)
    busy_weekends = {day: 700 if day.weekday() >= 5 else 100 for day in same_every_day(0, today=monday)}
    outlook = seen(forecast(busy_weekends, [Tank(1_000)], today=monday))
    assert outlook.per_day == 272, "at that average every day it would end on Thursday"
    assert (outlook.earliest, outlook.latest) == (saturday, saturday)


def test_only_the_last_two_weeks_count() -> None:
    long_ago = {SUNDAY - n * DAY: 10_000 for n in range(15, 60)}
    assert seen(forecast(long_ago | same_every_day(100), [Tank(1_000)], today=SUNDAY)).per_day == 100


def test_what_ends_earlier_is_not_counted_on_later() -> None:
    mostly_ending = [Tank(5_000, SUNDAY + 2 * DAY), Tank(300)]
    outlook = seen(forecast(same_every_day(100), mostly_ending, today=SUNDAY))
    assert outlook.latest is not None
    assert outlook.latest <= SUNDAY + 7 * DAY


def test_only_what_is_left_of_today_is_still_to_be_used_today() -> None:
    whole = seen(forecast(same_every_day(100), [Tank(149)], today=SUNDAY))
    evening = seen(forecast(same_every_day(100), [Tank(149)], today=SUNDAY, today_left_permille=100))
    assert whole.earliest == SUNDAY + DAY
    assert evening.earliest == SUNDAY + 2 * DAY


def test_what_if_there_were_more() -> None:
    tanks = [Tank(1_000)]
    before = seen(forecast(same_every_day(100), tanks, today=SUNDAY)).latest
    after = seen(forecast(same_every_day(100), with_more(tanks, 500, place=0, last_day=None), today=SUNDAY)).latest
    assert before is not None
    assert after is not None
    assert after >= before + 5 * DAY


@pytest.mark.parametrize("days", range(5))
def test_with_less_than_five_days_it_says_when_it_will_come(days: int) -> None:
    outlook = forecast(same_every_day(100, days), [Tank(1_000)], today=SUNDAY)
    assert outlook == TooEarly(SUNDAY + (5 - days) * DAY)


def test_a_missing_day_is_not_a_day_without_use() -> None:
    gaps = {day: amount for day, amount in same_every_day(100).items() if day.day % 2}
    assert seen(forecast(gaps, [Tank(1_000)], today=SUNDAY)).per_day == 100


def test_days_that_differ_too_much_give_no_forecast() -> None:
    one_big_day = same_every_day(0) | {SUNDAY - 3 * DAY: 9_000}
    assert forecast(one_big_day, [Tank(10_000)], today=SUNDAY) == TooUneven()


def test_without_any_use_it_lasts() -> None:
    outlook = seen(forecast(same_every_day(0), [Tank(10)], today=SUNDAY, last_day=SUNDAY + 30 * DAY))
    assert outlook.outlook is Outlook.LASTS


def test_nothing_left_is_used_up_today() -> None:
    assert seen(forecast(same_every_day(100), [Tank(0)], today=SUNDAY)).latest == SUNDAY


def test_a_leap_day_and_the_end_of_a_month_are_days_like_others() -> None:
    today = date(2028, 2, 27)
    outlook = seen(forecast(same_every_day(100, today=today), [Tank(350)], today=today))
    assert outlook.latest == date(2028, 3, 1)
    assert outlook.earliest == date(2028, 3, 1)


@given(
    st.dictionaries(st.integers(1, 14), st.integers(0, 10**12), min_size=5),
    st.lists(st.tuples(st.integers(0, 10**12), st.none() | st.integers(0, 60)), max_size=5),
    st.integers(0, 60),
    st.integers(0, 10**12),
)
def test_more_never_ends_sooner_and_the_range_is_in_order(
    used: dict[int, int], held: list[tuple[int, int | None]], period: int, more: int
) -> None:
    days = {SUNDAY - n * DAY: amount for n, amount in used.items()}
    tanks = [Tank(amount, None if ends is None else SUNDAY + ends * DAY) for amount, ends in held]
    last = SUNDAY + period * DAY
    outlook = forecast(days, tanks, today=SUNDAY, last_day=last)
    if isinstance(outlook, TooUneven):
        return
    outlook = seen(outlook)
    richer = seen(forecast(days, with_more(tanks, more, place=len(tanks), last_day=None), today=SUNDAY, last_day=last))
    assert (outlook.earliest or date.max) <= (outlook.latest or date.max)
    assert (richer.earliest or date.max) >= (outlook.earliest or date.max)
    assert (richer.latest or date.max) >= (outlook.latest or date.max)
