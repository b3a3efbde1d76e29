from datetime import UTC, datetime, timedelta

import pytest

from selfcare.portal.services.services import Life, Mark, ending, status_of

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


def mark(**life: object) -> Mark:
    return status_of(Life(**life), NOW).mark  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ends_in", "expected"),
    [
        (timedelta(days=7) + MOMENT, Mark.ACTIVE),
        (timedelta(days=7), Mark.ACTIVE),
        (timedelta(days=7) - MOMENT, Mark.EXPIRING_SOON),
        (MOMENT, Mark.EXPIRING_SOON),
        (timedelta(0), Mark.EXPIRED),
        (-MOMENT, Mark.EXPIRED),
    ],
)
def test_an_active_service_is_expiring_soon_only_within_seven_days_of_its_end(
    ends_in: timedelta, expected: Mark
) -> None:
    assert mark(state="active", ends_at=NOW + ends_in) is expected


def test_a_service_without_an_end_is_active() -> None:
    assert mark(state="active") is Mark.ACTIVE


def test_what_is_being_set_up_says_so_even_when_its_end_has_passed() -> None:
    assert mark(state="pending", ends_at=NOW - MOMENT) is Mark.BEING_SET_UP


def test_cancelled_and_expired_are_told_apart() -> None:
    assert mark(state="ended", end_reason="cancelled") is Mark.CANCELLED
    assert mark(state="ended", end_reason="expired") is Mark.EXPIRED


def test_a_suspended_service_past_its_end_is_expired() -> None:
    assert mark(state="suspended", suspend_reason="payment", ends_at=NOW) is Mark.EXPIRED


def test_a_suspended_service_near_its_end_stays_suspended_and_says_why() -> None:
    status = status_of(Life(state="suspended", suspend_reason="payment", ends_at=NOW + timedelta(days=2)), NOW)
    assert status.mark is Mark.SUSPENDED
    assert status.why == "A payment is missing"


@pytest.mark.parametrize("reason", ["payment", "staff", "fraud", "customer", "lost"])
def test_every_reason_to_suspend_has_words(reason: str) -> None:
    assert status_of(Life(state="suspended", suspend_reason=reason), NOW).why


@pytest.mark.parametrize(
    ("left", "renews", "expected"),
    [
        (timedelta(days=4, hours=23), False, "Ends in 4 days"),
        (timedelta(days=4), True, "Renews in 4 days"),
        (timedelta(hours=48), False, "Ends in 2 days"),
        (timedelta(hours=48) - MOMENT, False, "Ends in 47 hours"),
        (timedelta(hours=1), True, "Renews in 1 hour"),
        (timedelta(minutes=59), False, "Ends in less than an hour"),
    ],
)
def test_the_time_left_is_said_in_days_and_under_two_days_in_hours(
    left: timedelta, renews: bool, expected: str
) -> None:
    assert ending(Life(state="active", ends_at=NOW + left, renews=renews), NOW) == expected


def test_nothing_is_said_about_an_end_that_is_over_or_never_comes() -> None:
    assert ending(Life(state="active"), NOW) is None
    assert ending(Life(state="active", ends_at=NOW), NOW) is None


def test_the_suspended_one_is_looked_at_first() -> None:
    suspended = status_of(Life(state="suspended", suspend_reason="staff"), NOW)
    soon = status_of(Life(state="active", ends_at=NOW + timedelta(days=1)), NOW)
    assert suspended.rank < soon.rank < status_of(Life(state="active"), NOW).rank
