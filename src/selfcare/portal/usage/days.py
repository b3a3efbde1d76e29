"""Days of the customer's own calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day on the clocks of the zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def day_of(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def last_day_before(end: datetime | None, zone: ZoneInfo) -> date | None:
    """The last day on which something can be used that ends then."""
    return None if end is None else (end - timedelta(microseconds=1)).astimezone(zone).date()
