"""When a card stops working: after the last day of its month."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from enum import StrEnum

SOON = timedelta(days=30)


class Expiry(StrEnum):
    GOOD = "good"
    SOON = "soon"
    EXPIRED = "expired"


def last_valid_day(exp_month: int, exp_year: int) -> date:
    return date(exp_year, exp_month, calendar.monthrange(exp_year, exp_month)[1])


def expiry_of(exp_month: int, exp_year: int, today: date, *, soon: timedelta = SOON) -> Expiry:
    last = last_valid_day(exp_month, exp_year)
    if last < today:
        return Expiry.EXPIRED
    return Expiry.SOON if last - today <= soon else Expiry.GOOD
