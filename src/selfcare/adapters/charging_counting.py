"""Takes what was used out of the buckets: in their order, over as many as it needs, to the unit, and once.

A batch is one transaction. It counts the meters of its services up first: on PostgreSQL that makes whoever else changes
the same buckets wait, on SQLite there is one writer anyway. So what is read afterwards is true until the commit.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from selfcare.adapters import charging_thin
from selfcare.adapters.charging_tanks import Line, Tank, fill, lines_of, link, lock
from selfcare.db.engine import Tx, dialect, transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import round_half_up
from selfcare.kernel.words import _
from selfcare.ports.charging import COVERED_BY, Refused, Taken, Use
from selfcare.ports.jobs import Jobs

# Between these the pages of everybody else get their turn.
AT_A_STRETCH = 100
# The clocks of network elements run a little ahead.
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=366)
MOST = {"data": 10**14, "call": 10**6, "sms": 10**4, "mms": 10**4}
MOST_COST = 10**9
UNIT_OF = {"data": "bytes", "call": "seconds", "sms": "count", "mms": "count"}
# What two uses with the same id must have in common: line, kind, time, amount.
Sameness: TypeAlias = tuple[str, str, datetime, int]


@dataclass(slots=True)
class Batch:
    """What a batch will write, and what it will not."""

    now: datetime
    # The SQLite driver takes longer to turn a time into text than we do.
    stored: Callable[[datetime], Any] = field(default_factory=lambda: str if dialect() == "sqlite" else _as_it_is)
    stored_now: Any = None
    records: list[tuple[Any, ...]] = field(default_factory=list)
    parts: list[tuple[Any, ...]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    repeated: int = 0

    def __post_init__(self) -> None:
        self.stored_now = self.stored(self.now)

    def refuse(self, at: int, use: Use, why: str) -> bool:
        """Whether there is a reason to."""
        if why:
            self.refused.append(Refused(at, use.id, why))
        return bool(why)


async def take(uses: Sequence[Use], jobs: Jobs | None = None) -> Taken:
    """One transaction. Raises Duplicate where another process counts the same use for another service just now."""
    batch = Batch(clock.now())
    good = [(at, use) for at, use in enumerate(uses) if not batch.refuse(at, use, wrong(use, batch.now))]
    async with transaction() as tx:
        lines = await lines_of({use.service for _at, use in good})
        by_id = {line.id: line for line in lines.values()}
        await link(by_id)
        await lock(by_id, {line.customer_id for line in by_id.values()}, batch.now)
        known = await _known([use.id for _at, use in good])
        await fill(by_id, _needs(good, lines), since=min((use.at for _at, use in good), default=batch.now))
        for n, (at, use) in enumerate(good):
            if n % AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            line = _line_of(use, lines)
            if batch.refuse(at, use, _wrong_for(use, line)) or line is None:
                continue
            if use.id in known:
                _again(batch, at, use, line, known[use.id])
            else:
                known[use.id] = _count(batch, use, line)
        await _write(tx, batch, by_id.values())
        if jobs and (lines_left := [line for line in by_id.values() if line.is_thin(batch.stored_now)]):
            await charging_thin.note([(line.id, line.customer_id) for line in lines_left], jobs, batch.now)
    counted = frozenset(UUID(id) for id in {record[2] for record in batch.records})
    refused = tuple(sorted(batch.refused, key=lambda refused: refused.at))
    return Taken(len(batch.records), batch.repeated, refused, counted)


def wrong(use: Use, now: datetime) -> str:
    """Why this can never be counted, or nothing."""
    if not use.service.isprintable():
        return _("We know no such service.")
    if use.kind not in MOST:
        return _("The kind must be call, data, sms or mms.")
    if use.class_ not in COVERED_BY or use.direction not in ("out", "in"):
        return _("The class or direction is not one we know.")
    if not 0 < use.amount <= MOST[use.kind]:
        return _("The amount must be from 1 to %(most)s.") % {"most": MOST[use.kind]}
    if not 0 < len(use.id) <= 80 or not use.id.isprintable():
        return _("The id must have from 1 to 80 letters.")
    if use.other_party is not None and (len(use.other_party) > 40 or not use.other_party.isprintable()):
        return _("The other party is too long.")
    if use.country is not None and not (len(use.country) == 2 and use.country.isascii() and use.country.isupper()):
        return _("The country must be two letters, like FR.")
    if not 0 <= use.seconds <= MOST["call"]:
        return _("The seconds must be from 0 to %(most)s.") % {"most": MOST["call"]}
    if not 0 <= use.cost_minor <= MOST_COST:
        return _("The cost must be from 0 to %(most)s.") % {"most": MOST_COST}
    if use.at > now + AHEAD:
        return _("The time is in the future.")
    if use.at < now - OLDEST:
        return _("The time is more than a year ago.")
    return ""


def _line_of(use: Use, lines: Mapping[str, Line]) -> Line | None:
    line = lines.get(use.service)
    return line.at(use.at) if line else None


def _wrong_for(use: Use, line: Line | None) -> str:
    if line is None:
        return _("We know no such service.")
    if use.currency is not None and use.currency != line.currency:
        words = _("The cost is in %(theirs)s, the service in %(ours)s.")
        return words % {"theirs": use.currency, "ours": line.currency}
    if use.cost_minor and use.currency is None:
        return _("A cost needs its currency.")
    return ""


def _again(batch: Batch, at: int, use: Use, line: Line, before: Sameness) -> None:
    if before == (line.id, use.kind, use.at, use.amount):
        batch.repeated += 1
    else:
        batch.refuse(at, use, _("This id was used for something else before."))


def _count(batch: Batch, use: Use, line: Line) -> Sameness:
    id, at, left, blocked = str(new_id()), batch.stored(use.at), use.amount, False
    parts: list[tuple[str, int]] = []
    if use.direction == "out" or use.class_ == "roaming":
        left, blocked = _drink(batch, use, line, use.kind, left, parts)
    cost = 0 if blocked or not use.cost_minor else round_half_up(use.cost_minor * left, use.amount)
    if cost:
        _drink(batch, use, line, "money", cost, parts)
    unit = UNIT_OF[use.kind]
    batch.records.append(
        (
            *(id, line.customer_id, line.id, use.kind, use.direction, use.class_, at),
            use.amount if unit == "seconds" else use.seconds,
            use.amount if unit == "bytes" else 0,
            use.amount if unit == "count" else 0,
            *(use.other_party, use.country, cost, line.currency, parts[0][0] if parts else None),
            *(batch.stored_now, use.id),
        )
    )
    for bucket, amount in parts:
        batch.parts.append((id, bucket, line.customer_id, amount, at))
    return line.id, use.kind, use.at, use.amount


def _drink(batch: Batch, use: Use, line: Line, kind: str, left: int, parts: list[tuple[str, int]]) -> tuple[int, bool]:
    """What no tank could give, and whether an empty blocker stopped it."""
    at = batch.stored(use.at)
    for tank in line.queue(kind, use.class_):
        if tank.is_open(at, use.class_):
            if given := tank.give(left):
                if tank.waits_for is not None:
                    line.begin(tank, use.at, batch.stored)
                parts.append((tank.id, given))
                left -= given
                if not left:
                    return 0, False
            if tank.blocker:
                return left, True
    return left, False


def _needs(uses: Iterable[tuple[int, Use]], lines: Mapping[str, Line]) -> dict[str, set[str]]:
    """Which lines need which kind of bucket: nobody's minutes are read to count data."""
    needs: dict[str, set[str]] = {}
    for _at, use in uses:
        if line := _line_of(use, lines):
            needs.setdefault(use.kind, set()).add(line.id)
            if use.cost_minor:
                needs.setdefault("money", set()).add(line.id)
    return needs


async def _known(ids: Collection[str]) -> dict[str, Sameness]:
    rows = await fetch(_KNOWN.bind(ids=ids))
    return {
        row["external_id"]: (row["service_id"], row["kind"], row["started_at"], row[UNIT_OF[row["kind"]]])
        for row in rows
    }


async def _write(tx: Tx, batch: Batch, lines: Iterable[Line]) -> None:
    if not batch.records:
        return
    await tx.insert("usage_record", _RECORD_COLUMNS, batch.records)
    if batch.parts:
        await tx.insert("consumption", _PART_COLUMNS, batch.parts)
    tanks = {tank.id: tank for line in lines for tank in line.tanks if tank.taken}
    sample = _TAKE.bind(left=0, taken=0, now=batch.now, id="").statement.sql
    changes = (
        (0 if tank.is_unlimited else tank.taken, tank.taken, batch.stored_now, tank.id) for tank in tanks.values()
    )
    await tx.many(sample, list(changes))
    for tank in tanks.values():
        if tank.begun_at is not None:
            await _start(tank, tank.begun_at)
        if tank.lasts_days is not None and tank.order_id is not None:
            await _start_addon(tank, batch.now)


async def _start(tank: Tank, at: datetime) -> None:
    """Its clock, and that of all that came with it: once, because it waits only once."""
    waiting = await fetch(_WAITING.bind(customer=tank.customer_id, id=tank.id, order=tank.order_id))
    for row in waiting:
        ends = at + timedelta(days=row["lasts_days"])
        if await execute(_STARTED.bind(id=row["id"], at=at, ends=ends)):
            await execute(_GRANT_ENDS.bind(customer=tank.customer_id, id=row["id"], ends=ends))


async def _start_addon(tank: Tank, now: datetime) -> None:
    """Looked for at each use: the first may have come before the add-on was written down."""
    for row in await fetch(_WAITING_ADDON.bind(order=tank.order_id, bucket=tank.id, now=now)):
        ends = row["begun_at"] + timedelta(days=row["lasts_days"])
        await execute(_ADDON_STARTED.bind(id=row["id"], ends=ends))


def _as_it_is(at: datetime) -> datetime:
    return at


_RECORD_COLUMNS = (
    *("id", "customer_id", "service_id", "kind", "direction", "class", "started_at", "seconds", "bytes", "count"),
    *("other_party", "country", "cost_minor", "currency", "bucket_id", "created_at", "external_id"),
)
_PART_COLUMNS = ("record_id", "bucket_id", "customer_id", "amount", "at")
_KNOWN = Prepared.sql(
    """
    SELECT external_id, CAST(service_id AS TEXT) AS service_id, kind, started_at, seconds, bytes, count
      FROM usage_record WHERE external_id IN :ids
    """
)
_TAKE = Prepared.sql(
    "UPDATE bucket SET remaining = remaining - :left, consumed = consumed + :taken, as_of = :now WHERE id = :id"
)
# Each starts by its first use or by that of another of its order.
_WAITING = Prepared.sql(
    """
    SELECT b.id AS id, b.lasts_days AS lasts_days FROM bucket b
     WHERE b.customer_id = :customer AND b.waits_for IS NOT NULL AND (b.id = :id OR EXISTS (
            SELECT 1 FROM allowance_grant g
             WHERE g.customer_id = b.customer_id AND g.bucket_id = b.id AND g.order_id = :order))
     ORDER BY b.id
    """
)
_STARTED = Prepared.sql(
    """
    UPDATE bucket SET waits_for = NULL, period_started_at = :at, expires_at = :ends
     WHERE id = :id AND waits_for IS NOT NULL RETURNING id
    """
)
_GRANT_ENDS = Prepared.sql(
    "UPDATE allowance_grant SET period_end = :ends WHERE customer_id = :customer AND bucket_id = :id"
)
# One that was replaced meanwhile, or was over, does not begin again.
_WAITING_ADDON = Prepared.sql(
    """
    SELECT a.id AS id, a.lasts_days AS lasts_days, b.period_started_at AS begun_at
      FROM service_addon a JOIN bucket b ON b.customer_id = a.customer_id AND b.id = :bucket
     WHERE a.order_id = :order AND a.waits_for IS NOT NULL AND a.taken_off_at IS NULL AND a.ends_at > :now
    """
)
_ADDON_STARTED = Prepared.sql(
    "UPDATE service_addon SET waits_for = NULL, ends_at = :ends WHERE id = :id AND waits_for IS NOT NULL"
)
