"""Money beyond the plan, as far as anybody can say."""

from __future__ import annotations

from datetime import date, timedelta

from selfcare import formats
from selfcare.portal.usage.forecast import Beyond, beyond

TODAY = date(2026, 11, 22)
LAST = date(2026, 12, 2)


def costs(*last_days: int) -> dict[date, int]:
    """The newest last."""
    return {TODAY - timedelta(days=len(last_days) - n): cost for n, cost in enumerate(last_days)}


def test_an_even_pace_is_carried_on_to_the_end_of_the_period() -> None:
    found = beyond(costs(*[30] * 14), 420, today=TODAY, last_day=LAST)
    assert found is not None
    assert found.least is not None
    assert found.most is not None
    assert found.least <= 420 + 10 * 30 <= found.most
    assert formats.about(found.most, "GBP") == "£7"


def test_days_that_differ_too_much_say_only_what_was() -> None:
    assert beyond(costs(*[0] * 13, 900), 900, today=TODAY, last_day=LAST) == Beyond(900)


def test_too_few_days_say_only_what_was() -> None:
    assert beyond(costs(30, 30, 30), 90, today=TODAY, last_day=LAST) == Beyond(90)


def test_where_nothing_was_charged_for_nothing_is_said() -> None:
    assert beyond(costs(*[0] * 14), 0, today=TODAY, last_day=LAST) is None
    assert beyond({}, 0, today=TODAY, last_day=LAST) is None


def test_on_the_last_day_it_is_what_it_is() -> None:
    assert beyond(costs(*[30] * 14), 420, today=TODAY, last_day=TODAY) == Beyond(420, 420, 420)


def test_a_guess_is_rounded_to_whole_units_and_small_change_is_not() -> None:
    assert formats.about(618, "GBP") == "£6"
    assert formats.about(240, "GBP") == "£2.40"
    assert formats.about(618, "JPY") == "¥618" or formats.about(618, "JPY").endswith("618")
