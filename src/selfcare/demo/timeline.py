"""Days and months seen from the demo's now, in the operator's zone."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

ZONE = "Europe/London"


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last one."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def local(day: date, at: time = time.min) -> datetime:
    return datetime.combine(day, at, ZoneInfo(ZONE)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Timeline:
    now: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(ZoneInfo(ZONE)).date()

    def day(self, days: int) -> date:
        return self.today + timedelta(days=days)

    def at(self, days: int, hour: int, minute: int = 0) -> datetime:
        """Never later than now for days that are not in the future."""
        moment = local(self.day(days), time(hour, minute))
        return min(moment, self.now) if days <= 0 else moment

    def start_of(self, days: int) -> datetime:
        return local(self.day(days))

    def end_of(self, days: int) -> datetime:
        """The last second of that day, which people read as 23:59."""
        return local(self.day(days), time(23, 59, 59))

    def periods(self, begun: date, count: int) -> list[tuple[datetime, datetime]]:
        """`count` monthly periods, the current one last; it began on `begun`."""
        edges = [add_months(begun, back) for back in range(1 - count, 2)]
        return [(local(start), local(end) - timedelta(seconds=1)) for start, end in pairwise(edges)]
