"""What moving to another plan costs today: by days of the running period, today counted with the new plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from selfcare.kernel import clock
from selfcare.kernel.money import Money, round_half_up
from selfcare.portal.services.extras import months_later


@dataclass(frozen=True, slots=True)
class Period:
    """The running one. `renews_at` is when the next begins; `left` of its `days` are still to come, today included."""

    renews_at: datetime
    days: int
    left: int


@dataclass(frozen=True, slots=True)
class Share:
    """`waived` makes nothing of what is too little to charge."""

    credit: Money
    charge: Money
    waived: Money

    @property
    def due(self) -> Money:
        return self.charge + self.credit + self.waived


def period_of(ends_at: datetime | None, now: datetime, zone: str, *, every: str = "month") -> Period:
    """Of a service without an end it is the calendar month. Paid ahead for longer, more days than one period has are
    left."""
    here = ZoneInfo(zone)
    today = now.astimezone(here).date()
    renews_at = ends_at if ends_at is not None and ends_at > now else clock.midnight(_next_month(today), zone)
    last = renews_at.astimezone(here)
    end = last.date() if last.time() == time() else last.date() + timedelta(days=1)
    return Period(renews_at, (end - _start(end, every, zone)).days, (end - today).days)


def share(old: Money, new: Money, period: Period, *, least: Money) -> Share:
    """The days left of the old plan come off, those of the new one are paid; under `least` nothing is charged."""
    credit = -_part(old, period)
    charge = _part(new, period)
    due = charge + credit
    nothing = Money.zero(due.currency)
    return Share(credit, charge, -due if nothing < due < least else nothing)


def _part(price: Money, period: Period) -> Money:
    return Money(round_half_up(price.minor * period.left, period.days), price.currency)


def _start(end: date, every: str, zone: str) -> date:
    if every in ("day", "week"):
        return end - timedelta(days=1 if every == "day" else 7)
    here = ZoneInfo(zone)
    noon = datetime.combine(end, time(12), here).astimezone(UTC)
    return months_later(noon, -12 if every == "year" else -1, zone).astimezone(here).date()


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=31)).replace(day=1)
