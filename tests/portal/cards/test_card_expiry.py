from datetime import date

import pytest

from selfcare.portal.cards.expiry import Expiry, expiry_of, last_valid_day


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2026, 10, 31), Expiry.GOOD),
        (date(2026, 11, 1), Expiry.SOON),
        (date(2026, 11, 30), Expiry.SOON),
        (date(2026, 12, 1), Expiry.EXPIRED),
    ],
)
def test_a_card_for_november_works_to_its_last_day(today: date, expected: Expiry) -> None:
    assert expiry_of(11, 2026, today, soon=last_valid_day(11, 2026) - date(2026, 11, 1)) is expected


def test_thirty_days_before_its_last_day_a_card_is_expiring() -> None:
    assert expiry_of(11, 2026, date(2026, 10, 31)) is Expiry.SOON
    assert expiry_of(11, 2026, date(2026, 10, 30)) is Expiry.GOOD


def test_february_knows_leap_years() -> None:
    assert last_valid_day(2, 2028) == date(2028, 2, 29)
    assert last_valid_day(2, 2027) == date(2027, 2, 28)
