"""What recurs, and when next. Several processes that share a database do it once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from selfcare.jobs.registry import Registry


@dataclass(frozen=True, slots=True)
class Recurring:
    """A job that is enqueued again and again, with its kind as name."""

    kind: str
    every: timedelta
    # The time of day on the clocks of `zone`; None: counted from the last time.
    at: time | None = None
    zone: str = "UTC"

    def after(self, now: datetime) -> datetime:
        if self.at is None:
            return now + self.every
        there = now.astimezone(ZoneInfo(self.zone))
        slot = datetime.combine(there.date(), self.at, ZoneInfo(self.zone))
        while slot <= there:
            slot = datetime.combine(slot.date() + timedelta(days=1), self.at, ZoneInfo(self.zone))
        return slot.astimezone(now.tzinfo)


class Schedule:
    def __init__(self) -> None:
        self._entries: dict[str, Recurring] = {}

    def every(self, kind: str, interval: timedelta) -> None:
        self._add(Recurring(kind, interval))

    def daily(self, kind: str, *, at: time, zone: str) -> None:
        self._add(Recurring(kind, timedelta(days=1), at, zone))

    def _add(self, entry: Recurring) -> None:
        if entry.kind in self._entries:
            raise ValueError(f"{entry.kind} is in the schedule already")
        self._entries[entry.kind] = entry

    def become(self, other: Schedule) -> None:
        """Recur from now on as `other` does."""
        self._entries = other._entries

    def __iter__(self) -> Iterator[Recurring]:
        return iter(self._entries.values())

    def check(self, registry: Registry) -> None:
        """Raises LookupError for what nobody would do."""
        if orphans := [entry.kind for entry in self if entry.kind not in registry]:
            raise LookupError(f"no handler for {', '.join(orphans)}")
