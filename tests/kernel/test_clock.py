from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from selfcare.kernel import clock

NEW_YEAR = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def own_time() -> Iterator[None]:
    clock.reset()
    yield
    clock.reset()


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_frozen_time_stands_still_and_runs_again_afterwards() -> None:
    with clock.frozen(NEW_YEAR):
        assert clock.now() == clock.now() == NEW_YEAR
    assert clock.now() != NEW_YEAR


def test_frozen_time_can_be_turned() -> None:
    with clock.frozen(NEW_YEAR):
        clock.travel_by(timedelta(minutes=31))
        assert clock.now() == NEW_YEAR + timedelta(minutes=31)
        clock.travel_to(NEW_YEAR)
        assert clock.now() == NEW_YEAR


def test_after_travelling_time_runs_on_from_there() -> None:
    clock.travel_to(NEW_YEAR)
    first = clock.now()
    assert NEW_YEAR <= first < NEW_YEAR + timedelta(seconds=5)
    clock.travel_by(timedelta(days=1))
    assert timedelta(days=1) <= clock.now() - first < timedelta(days=1, seconds=5)


def test_freezing_inside_a_journey_gives_the_journey_back() -> None:
    clock.travel_to(NEW_YEAR)
    with clock.frozen(datetime(2030, 1, 1, tzinfo=UTC)):
        pass
    assert clock.now() - NEW_YEAR < timedelta(seconds=5)


def test_today_depends_on_where_you_are() -> None:
    with clock.frozen(NEW_YEAR):
        assert clock.today("Europe/London") == date(2026, 12, 31)
        assert clock.today("Europe/Berlin") == date(2027, 1, 1)


def test_another_zone_becomes_utc() -> None:
    with clock.frozen(datetime(2027, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))):
        assert clock.now() == NEW_YEAR
        assert clock.now().tzinfo is UTC


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs its zone"):
        clock.travel_to(datetime(2026, 1, 1))


def test_a_day_begins_at_the_midnight_of_its_own_zone() -> None:
    assert clock.midnight(date(2026, 7, 1), "Europe/London") == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert clock.midnight(date(2026, 10, 25), "Europe/London", days=1) == datetime(2026, 10, 26, tzinfo=UTC)


def test_the_ends_of_the_calendar_are_no_trouble() -> None:
    assert clock.midnight(date.max, "Pacific/Auckland", days=1).year == 9990
    assert clock.midnight(date.min, "Pacific/Auckland").year == 1899
