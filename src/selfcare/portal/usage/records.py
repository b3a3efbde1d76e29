"""Calls, sessions and messages one by one: which were asked for, and as a file of any length in constant memory."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity.identity import Identity
from selfcare.kernel import clock, msisdn
from selfcare.kernel.money import exponent
from selfcare.ports.charging import Asked, Charging, Record

PER_PAGE = 25
AT_ONCE = 1000
KINDS = ("call", "data", "sms", "mms")
CLASSES = ("on_net", "off_net", "international", "premium", "roaming")
COLUMNS = (
    *("started_at", "kind", "direction", "class", "other_party", "country"),
    *("seconds", "bytes", "count", "cost", "currency"),
)
KEPT = timedelta(days=366)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filter bar says; days are of the customer's calendar, both included."""

    kind: str = ""
    class_: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def is_narrowed(self) -> bool:
        return bool(self.kind or self.class_ or self.first or self.last)

    def asked(self, service_id: UUID, zone: str) -> Asked:
        return Asked(
            service_ids=[service_id],
            kinds=frozenset({self.kind} - {""}),
            classes=frozenset({self.class_} - {""}),
            since=max(clock.midnight(self.first, zone) if self.first else _EARLIEST, clock.now() - KEPT),
            until=clock.midnight(self.last, zone, days=1) if self.last else None,
        )


def shown_party(record: Record, *, whole: bool) -> str:
    """Who was on the other side; the last digits are nobody's business but the customer's."""
    if not record.other_party:
        return ""
    return msisdn.show(record.other_party) if whole else f"{record.other_party[:-3]}•••"


async def fetched(identity: Identity, service_id: UUID, form: str) -> None:
    """Writes down that they were taken out, before the first is."""
    async with transaction():
        await audit.record(identity, Event.USAGE_RECORDS_FETCHED, about=service_id, format=form)


async def as_csv(pages: AsyncIterator[tuple[Record, ...]], zone: str) -> AsyncIterator[bytes]:
    yield _csv([COLUMNS])
    async for records in pages:
        yield _csv(map(_escaped, map(_in_zone(zone), records)))


async def as_json(pages: AsyncIterator[tuple[Record, ...]], zone: str) -> AsyncIterator[bytes]:
    """One array, one record a line."""
    row, before = _in_zone(zone), "["
    async for records in pages:
        lines = ",\n".join(json.dumps(dict(zip(COLUMNS, row(record), strict=True))) for record in records)
        yield f"{before}\n{lines}".encode()
        before = ","
    yield b"[]\n" if before == "[" else b"\n]\n"


async def pages_of(charging: Charging, identity: Identity, asked: Asked) -> AsyncIterator[tuple[Record, ...]]:
    """All of them, newest first, a thousand in hand at any time."""
    after: str | None = None
    while True:
        found = await charging.records(identity.customer, asked, after=after, limit=AT_ONCE)
        if found.records:
            yield found.records
        if found.more is None:
            return
        after = found.more


def _in_zone(zone: str) -> Callable[[Record], tuple[Any, ...]]:
    there = ZoneInfo(zone)

    def row(record: Record) -> tuple[Any, ...]:
        return (
            record.started_at.astimezone(there).isoformat(),
            record.kind,
            record.direction,
            record.class_,
            record.other_party or "",
            record.country or "",
            record.seconds,
            record.bytes,
            record.count,
            _decimal(record.cost_minor, record.currency),
            record.currency,
        )

    return row


def _decimal(minor: int, currency: str) -> str:
    digits = exponent(currency)
    whole, part = divmod(abs(minor), 10**digits)
    return f"{'-' if minor < 0 else ''}{whole}" + (f".{part:0{digits}d}" if digits else "")


def _escaped(row: tuple[Any, ...]) -> list[Any]:
    """Text that a spreadsheet would take for a formula is marked as text; our own numbers are not text."""
    at, kind, direction, class_, party, country, *numbers = row
    return [*map(as_text, (at, kind, direction, class_, party, country)), *numbers]


def as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _csv(rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
