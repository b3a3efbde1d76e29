"""Use by day, week and month."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from selfcare.portal.usage.history import Step, chart, earliest, span

TODAY = date(2026, 11, 22)
LONG_AGO = date(2020, 1, 1)
DAY = timedelta(days=1)


def test_thirty_days_up_to_today_with_their_amounts() -> None:
    drawn = chart({TODAY: 5, TODAY - DAY: 10, TODAY - 30 * DAY: 99}, Step.DAY, known_since=LONG_AGO, today=TODAY)
    assert len(drawn.bars) == 30
    assert [bar.amount for bar in drawn.bars[-2:]] == [10, 5]
    assert [bar.height for bar in drawn.bars[-2:]] == [100, 50]
    assert drawn.bars[-1].now
    assert drawn.total == 15
    assert drawn.highest is not None
    assert drawn.highest.first == TODAY - DAY


def test_a_day_without_use_is_zero_and_a_day_nobody_knows_is_a_gap() -> None:
    drawn = chart({}, Step.DAY, known_since=TODAY - 3 * DAY, today=TODAY)
    assert [bar.amount for bar in drawn.bars[-5:]] == [None, 0, 0, 0, 0]
    assert drawn.has_gaps
    assert all(bar.height == 0 for bar in drawn.bars)


def test_a_little_is_still_seen() -> None:
    drawn = chart({TODAY: 1, TODAY - DAY: 10**9}, Step.DAY, known_since=LONG_AGO, today=TODAY)
    assert drawn.bars[-1].height == 1


def test_weeks_begin_on_monday() -> None:
    drawn = chart(
        {date(2026, 11, 16): 1, TODAY: 2, date(2026, 11, 15): 4}, Step.WEEK, known_since=LONG_AGO, today=TODAY
    )
    assert (drawn.bars[-1].first, drawn.bars[-1].last) == (date(2026, 11, 16), TODAY)
    assert [bar.amount for bar in drawn.bars[-2:]] == [4, 3]


def test_thirteen_months_across_a_leap_day() -> None:
    today = date(2028, 3, 31)
    drawn = chart({date(2028, 2, 29): 7, date(2028, 3, 1): 1}, Step.MONTH, known_since=LONG_AGO, today=today)
    assert len(drawn.bars) == 13
    assert drawn.bars[0].first == date(2027, 3, 1)
    february = drawn.bars[-2]
    assert (february.first, february.last, february.amount) == (date(2028, 2, 1), date(2028, 2, 29), 7)


@pytest.mark.parametrize("step", list(Step))
def test_older_and_newer_lead_to_each_other(step: Step) -> None:
    now = chart({}, step, known_since=LONG_AGO, today=TODAY)
    if now.older is None:
        assert step is Step.MONTH
        return
    before = chart({}, step, known_since=LONG_AGO, today=TODAY, until=now.older)
    assert before.last == now.first - DAY
    assert before.newer is not None
    again = chart({}, step, known_since=LONG_AGO, today=TODAY, until=before.newer)
    assert again.first == now.first
    assert now.newer is None


def test_older_stops_at_what_is_kept() -> None:
    until, pages = TODAY, 0
    while (drawn := chart({}, Step.DAY, known_since=LONG_AGO, today=TODAY, until=until)).older:
        until, pages = drawn.older, pages + 1
    assert drawn.first <= earliest(TODAY) == date(2025, 11, 1)
    assert pages == 12


@pytest.mark.parametrize("step", list(Step))
def test_the_span_is_what_the_chart_shows(step: Step) -> None:
    drawn = chart({}, step, known_since=LONG_AGO, today=TODAY)
    assert span(step, today=TODAY) == (drawn.first, min(drawn.last, TODAY))
