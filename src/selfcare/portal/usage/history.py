"""Use by day, week and month, as bars. A day without use is zero; a day nobody knows about is a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

MONTHS_KEPT = 13
_DAY = timedelta(days=1)


class Step(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


SHOWN = {Step.DAY: 30, Step.WEEK: 26, Step.MONTH: MONTHS_KEPT}


@dataclass(frozen=True, slots=True)
class Bar:
    """`amount` None is a gap. `height` is 0 to 100 of the highest; what is not nothing is at least 1 high."""

    first: date
    last: date
    amount: int | None
    height: int
    now: bool


@dataclass(frozen=True, slots=True)
class Chart:
    step: Step
    bars: list[Bar]
    total: int
    highest: Bar | None
    older: date | None
    newer: date | None

    @property
    def first(self) -> date:
        return self.bars[0].first

    @property
    def last(self) -> date:
        return self.bars[-1].last

    @property
    def has_gaps(self) -> bool:
        return any(bar.amount is None for bar in self.bars)


def chart(days: Mapping[date, int], step: Step, *, known_since: date, today: date, until: date | None = None) -> Chart:
    """The bars up to the one that holds `until`. `days` needs only those with use; before `known_since` are gaps."""
    end = min(until or today, today)
    firsts = [start_of(end, step)]
    while len(firsts) < SHOWN[step]:
        firsts.append(start_of(firsts[-1] - _DAY, step))
    firsts.reverse()
    amounts = [_sum(days, first, last_of(first, step), known_since, today) for first in firsts]
    top = max((amount for amount in amounts if amount), default=0)
    bars = [
        Bar(first, last_of(first, step), amount, _height(amount, top), first <= today <= last_of(first, step))
        for first, amount in zip(firsts, amounts, strict=True)
    ]
    return Chart(
        step=step,
        bars=bars,
        total=sum(amount or 0 for amount in amounts),
        highest=max((bar for bar in bars if bar.amount), key=lambda bar: bar.amount or 0, default=None),
        older=firsts[0] - _DAY if firsts[0] > earliest(today) and firsts[0] > known_since else None,
        newer=_newer(bars[-1].last, step, today),
    )


def span(step: Step, *, today: date, until: date | None = None) -> tuple[date, date]:
    """The first and the last day of a chart: what has to be read for it."""
    empty = chart({}, step, known_since=today, today=today, until=until)
    return empty.first, min(empty.last, today)


def earliest(today: date) -> date:
    """The first day of the oldest month that is kept."""
    first = today.replace(day=1)
    for _ in range(MONTHS_KEPT - 1):
        first = (first - _DAY).replace(day=1)
    return first


def start_of(day: date, step: Step) -> date:
    if step is Step.WEEK:
        return day - day.weekday() * _DAY
    return day.replace(day=1) if step is Step.MONTH else day


def last_of(first: date, step: Step) -> date:
    if step is Step.WEEK:
        return first + 6 * _DAY
    if step is Step.MONTH:
        return (first.replace(day=28) + 4 * _DAY).replace(day=1) - _DAY
    return first


def _sum(days: Mapping[date, int], first: date, last: date, known_since: date, today: date) -> int | None:
    if last < known_since or first > today:
        return None
    return sum(days.get(first + n * _DAY, 0) for n in range((last - first).days + 1))


def _height(amount: int | None, top: int) -> int:
    return max(1, amount * 100 // top) if amount and top else 0


def _newer(last: date, step: Step, today: date) -> date | None:
    if last >= today:
        return None
    end = last
    for _ in range(SHOWN[step]):
        end = last_of(start_of(end + _DAY, step), step)
    return min(end, today)
