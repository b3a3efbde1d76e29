"""How the named people use their lines: calls, messages and data, with weekdays, weekends and quiet nights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any
from uuid import UUID

from selfcare.demo.people import fixed
from selfcare.demo.timeline import local
from selfcare.ports.charging import COVERED_BY

MB = 10**6
_HOURS = range(24)
_BUSY = (1, 1, 0, 0, 0, 1, 3, 8, 9, 6, 5, 6, 8, 7, 5, 5, 6, 9, 10, 9, 10, 9, 6, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """Means of one day; `parties` are the numbers rung and written to."""

    megabytes: int = 0
    sessions: int = 0
    calls: float = 0
    texts: float = 0
    weekend: float = 1.0
    abroad_every_days: int = 0
    parties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    at: datetime
    kind: str
    class_: str = "off_net"
    direction: str = "out"
    seconds: int = 0
    bytes: int = 0
    count: int = 0
    party: str | None = None
    country: str | None = None
    cost: int = 0

    @property
    def amount(self) -> int:
        return {"call": self.seconds, "data": self.bytes, "sms": self.count, "mms": self.count}[self.kind]


@dataclass(slots=True)
class Tank:
    """What a bucket holds from `start` to `end`. A bucket that is reset at each renewal is one tank per period."""

    bucket: UUID
    kind: str
    order: int
    start: datetime
    end: datetime | None = None
    left: int | None = None
    scope: str = "any"

    def serves(self, kind: str, class_: str, amount: int, at: datetime) -> bool:
        fits = self.left is None or self.left >= amount
        open_now = self.start <= at and (self.end is None or at <= self.end)
        return fits and open_now and self.kind == kind and self.scope in COVERED_BY[class_]


def events(habits: Habits, days: Iterable[date], rng: Random) -> Iterator[Event]:
    for day in days:
        busy = habits.weekend if day.weekday() >= 5 else 1.0
        yield from sorted(_events_of(habits, day, busy, rng), key=lambda event: event.at)


def scaled(made: Sequence[Event], total_bytes: int) -> list[Event]:
    """The same events, with data that adds up to exactly this."""
    before = sum(event.bytes for event in made)
    fitted = [replace(event, bytes=event.bytes * total_bytes // before) if event.bytes else event for event in made]
    rest = total_bytes - sum(event.bytes for event in fitted)
    largest = max(range(len(fitted)), key=lambda n: fitted[n].bytes)
    fitted[largest] = replace(fitted[largest], bytes=fitted[largest].bytes + rest)
    return fitted


def rated(made: Iterable[Event], tanks: Sequence[Tank], *, service: UUID, customer: UUID) -> Iterator[dict[str, Any]]:
    """Usage records, each taken from the first tank that holds it. Money covers what an allowance does not."""
    queue = sorted(tanks, key=lambda tank: tank.order)
    for n, event in enumerate(made):
        tank = _tank_for(event, queue) if event.direction == "out" else None
        if tank and tank.left is not None:
            tank.left -= event.cost if tank.kind == "money" else event.amount
        covered = tank is not None and tank.kind != "money"
        yield {
            "id": fixed(f"record/{service}/{n}"),
            "customer_id": customer,
            "service_id": service,
            "kind": event.kind,
            "direction": event.direction,
            "class_": event.class_,
            "started_at": event.at,
            "seconds": event.seconds,
            "bytes": event.bytes,
            "count_": event.count,
            "other_party": event.party,
            "country": event.country,
            "cost_minor": 0 if covered else event.cost,
            "currency": "GBP",
            "bucket_id": tank.bucket if tank else None,
            "created_at": event.at + timedelta(seconds=event.seconds),
            "external_id": f"demo-{str(service)[:8]}-{n}",
        }


def _tank_for(event: Event, queue: Sequence[Tank]) -> Tank | None:
    kind = {"call": "voice", "data": "data", "sms": "sms", "mms": "sms"}[event.kind]
    for tank in queue:
        if tank.serves(kind, event.class_, event.amount, event.at):
            return tank
    if not event.cost:
        return None
    return next((tank for tank in queue if tank.serves("money", event.class_, event.cost, event.at)), None)


def _events_of(habits: Habits, day: date, busy: float, rng: Random) -> Iterator[Event]:
    yield from _data(habits, day, busy, rng)
    for _ in range(_about(habits.calls * busy, rng)):
        yield _call(habits, day, rng)
    for _ in range(_about(habits.texts * busy, rng)):
        yield _text(habits, day, rng)
    if habits.abroad_every_days and day.toordinal() % habits.abroad_every_days == 0:
        minutes = rng.randint(2, 9)
        yield Event(
            at=_moment(day, rng),
            kind="call",
            class_="international",
            seconds=minutes * 60 - rng.randint(0, 50),
            party="+33155501234",
            country="FR",
            cost=minutes * 15,
        )


def _data(habits: Habits, day: date, busy: float, rng: Random) -> Iterator[Event]:
    if not habits.sessions:
        return
    total = habits.megabytes * busy * rng.uniform(0.8, 1.2) * MB
    shares = [rng.random() + 0.05 for _ in range(habits.sessions)]
    for share in shares:
        seconds = rng.randint(60, 5400)
        yield Event(
            at=_moment(day, rng),
            kind="data",
            class_="on_net",
            seconds=seconds,
            bytes=int(total * share / sum(shares)),
        )


def _call(habits: Habits, day: date, rng: Random) -> Event:
    roll = rng.random()
    seconds = min(3600, int(rng.expovariate(1 / 190)) + 8)
    party = rng.choice(habits.parties)
    if roll < 0.3:
        return Event(at=_moment(day, rng), kind="call", direction="in", seconds=seconds, party=party)
    if roll < 0.33:
        minutes = seconds // 60 + 1
        return Event(
            at=_moment(day, rng),
            kind="call",
            class_="premium",
            seconds=seconds,
            party="+449098790123",
            cost=minutes * 25,
        )
    on_net = party.endswith(("0", "2", "4", "6", "8"))
    return Event(
        at=_moment(day, rng), kind="call", class_="on_net" if on_net else "off_net", seconds=seconds, party=party
    )


def _text(habits: Habits, day: date, rng: Random) -> Event:
    kind = "mms" if rng.random() < 0.06 else "sms"
    direction = "in" if rng.random() < 0.4 else "out"
    return Event(at=_moment(day, rng), kind=kind, direction=direction, count=1, party=rng.choice(habits.parties))


def _moment(day: date, rng: Random) -> datetime:
    hour = rng.choices(_HOURS, _BUSY)[0]
    return local(day, time(hour, rng.randrange(60), rng.randrange(60)))


def _about(mean: float, rng: Random) -> int:
    """A whole number with this mean."""
    spread = mean * rng.uniform(0.3, 1.7)
    return int(spread) + (rng.random() < spread % 1)


def abroad(at: datetime, country: str, megabytes: int, cost: int = 0) -> Event:
    return Event(at=at, kind="data", class_="roaming", bytes=megabytes * MB, seconds=1900, country=country, cost=cost)
