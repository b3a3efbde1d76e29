"""How long what is left will last at the pace of the last two weeks. Whole numbers only; a range, never a point.

Each weekday is expected to be like the same weekdays before, drawn towards the average because two of each are few.
Without five days of use nothing is said, nor when the days differ so much that the range would say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from math import isqrt

DAYS_NEEDED = 5
DAYS_SEEN = 14
MOST_NOISE_PERMILLE = 500
LEAST_SPREAD_PERMILLE = 50
HORIZON_DAYS = 366
_FINE = 1000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tank:
    """A part of what is left, in the order of use. `last_day` is the last on which it can be used, None for ever."""

    amount: int
    last_day: date | None = None


class Outlook(StrEnum):
    LASTS = "lasts"
    MAY_END = "may_end"
    ENDS = "ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`earliest` and `latest` are the days on which it is used up at a fast and at a slow pace; None: it lasts.

    `for_good`: nothing begins anew after `last_day`."""

    outlook: Outlook
    per_day: int
    spread_permille: int
    earliest: date | None
    latest: date | None
    last_day: date | None
    for_good: bool = False

    @property
    def begins_anew(self) -> date | None:
        return None if self.last_day is None or self.for_good else self.last_day + _DAY


@dataclass(frozen=True, slots=True)
class TooEarly:
    """There will be enough days on `comes_on`."""

    comes_on: date


@dataclass(frozen=True, slots=True)
class TooUneven:
    """The days differ too much."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """Money beyond the plan: so far, and at the end of the period at a slow and a fast pace. None: nobody can say."""

    so_far: int
    least: int | None = None
    most: int | None = None


def beyond(costs: Mapping[date, int], so_far: int, *, today: date, last_day: date) -> Beyond | None:
    """`costs` of whole days, a missing one is unknown. None where nothing was charged for, lately or this period."""
    seen = {day: costs[day] for n in range(1, DAYS_SEEN + 1) if (day := today - n * _DAY) in costs}
    if not so_far and not any(seen.values()):
        return None
    mean = sum(seen.values()) * _FINE // len(seen) if seen else 0
    usual = _usual(seen) if seen else []
    spread = max(LEAST_SPREAD_PERMILLE, _noise_permille(seen, usual, mean)) if seen else _FINE
    if len(seen) < DAYS_NEEDED or spread > MOST_NOISE_PERMILLE:
        return Beyond(so_far)
    ahead = sum(usual[(today + n * _DAY).weekday()] for n in range(1, (last_day - today).days + 1))
    least, most = (so_far + ahead * pace // (_FINE * 1000) for pace in (1000 - spread, 1000 + spread))
    return Beyond(so_far, least, most)


def forecast(
    days: Mapping[date, int],
    tanks: Sequence[Tank],
    *,
    today: date,
    today_left_permille: int = 1000,
    last_day: date | None = None,
    for_good: bool = False,
) -> Forecast | TooEarly | TooUneven:
    """`days` holds the use of whole days; a day that is missing is unknown, not zero. `last_day` ends the period."""
    seen = {day: days[day] for n in range(1, DAYS_SEEN + 1) if (day := today - n * _DAY) in days}
    if len(seen) < DAYS_NEEDED:
        return TooEarly(today + (DAYS_NEEDED - len(seen)) * _DAY)
    usual = _usual(seen)
    mean = sum(seen.values()) * _FINE // len(seen)
    spread = max(LEAST_SPREAD_PERMILLE, _noise_permille(seen, usual, mean))
    if spread > MOST_NOISE_PERMILLE:
        return TooUneven()

    def used_up(pace_permille: int) -> date | None:
        week = [each * pace_permille // 1000 for each in usual]
        return _used_up(week, tanks, today, today_left_permille, last_day)

    earliest, latest = used_up(1000 + spread), used_up(1000 - spread)
    return Forecast(
        outlook=Outlook.LASTS if earliest is None else Outlook.MAY_END if latest is None else Outlook.ENDS,
        per_day=-(-mean // _FINE),
        spread_permille=spread,
        earliest=earliest,
        latest=latest,
        last_day=last_day,
        for_good=for_good,
    )


def with_more(tanks: Sequence[Tank], amount: int, *, place: int, last_day: date | None) -> list[Tank]:
    """The same with `amount` more, used at that place of the queue (0 = first): what if I bought this?"""
    return [*tanks[:place], Tank(amount, last_day), *tanks[place:]]


def _usual(seen: Mapping[date, int]) -> list[int]:
    """Expected use of each weekday, Monday first, in thousandths."""
    total, n = sum(seen.values()), len(seen)
    usual = []
    for weekday in range(7):
        same = [amount for day, amount in seen.items() if day.weekday() == weekday]
        usual.append((sum(same) * n + total) * _FINE // (n * (len(same) + 1)))
    return usual


def _noise_permille(seen: Mapping[date, int], usual: Sequence[int], mean: int) -> int:
    """How far the true average may be from the one seen: the standard error of it, in thousandths of it."""
    if mean == 0:
        return 0
    squares = sum((amount * _FINE - usual[day.weekday()]) ** 2 for day, amount in seen.items())
    return isqrt(squares * 1_000_000 // len(seen) ** 2) // mean


def _used_up(
    week: Sequence[int], tanks: Sequence[Tank], today: date, today_left_permille: int, last_day: date | None
) -> date | None:
    """The day on which the tanks run dry before the period ends, if they do."""
    left = [replace(tank, amount=max(0, tank.amount) * _FINE) for tank in tanks]
    for n in range(HORIZON_DAYS):
        day = today + n * _DAY
        if last_day is not None and day > last_day:
            return None
        left = [tank for tank in left if tank.amount and (tank.last_day is None or day <= tank.last_day)]
        wanted = week[day.weekday()] * (today_left_permille if n == 0 else 1000) // 1000
        for place, tank in enumerate(left):
            taken = min(wanted, tank.amount)
            left[place] = replace(tank, amount=tank.amount - taken)
            wanted -= taken
        if wanted or not any(tank.amount for tank in left):
            return day
    return None
