"""The one clock. Nothing else asks the machine for the time, so tests and the demo can turn it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_FIRST, _LAST = date(1900, 1, 1), date(9990, 1, 1)
_offset = timedelta(0)
_frozen: datetime | None = None


def now() -> datetime:
    """Aware UTC."""
    return _frozen or datetime.now(UTC) + _offset


def today(zone: str) -> date:
    """The date people in that zone write on a letter now."""
    return now().astimezone(ZoneInfo(zone)).date()


def midnight(day: date, zone: str, *, days: int = 0) -> datetime:
    """In UTC, when the day so many days later begins there. The ends of the calendar have no day beside them."""
    begins = max(_FIRST, min(day, _LAST)) + timedelta(days=days)
    return datetime.combine(begins, time(), ZoneInfo(zone)).astimezone(UTC)


def travel_to(at: datetime) -> None:
    """Go to that moment; time runs on from there, unless it is frozen."""
    global _offset, _frozen
    at = _utc(at)
    if _frozen is not None:
        _frozen = at
    else:
        _offset = at - datetime.now(UTC)


def travel_by(delta: timedelta) -> None:
    travel_to(now() + delta)


def offset() -> timedelta:
    """How far it was turned from the machine's own time."""
    return now() - datetime.now(UTC) if _frozen else _offset


def reset() -> None:
    """Back to the machine's own time."""
    global _offset, _frozen
    _offset, _frozen = timedelta(0), None


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Time stands still inside; afterwards the clock is as it was."""
    global _offset, _frozen
    before = _offset, _frozen
    _frozen = _utc(at)
    try:
        yield
    finally:
        _offset, _frozen = before


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time needs its zone, for example 2026-12-01T09:00:00+00:00")
    return at.astimezone(UTC)
