"""Takes what was used out of the buckets: in their order, over as many as it needs, to the unit, and once.

A batch is one transaction. It counts the meters of its services up first: on PostgreSQL that makes whoever else changes
the same buckets wait, on SQLite there is one writer anyway. So what is read afterwards is true until the commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.db.engine import Row, Tx, transaction
from selfcare.db.prepared import Prepared, as_json, execute_many, fetch
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import round_half_up
from selfcare.kernel.words import _
from selfcare.ports.charging import COVERED_BY, Refused, Taken, Use

# The clocks of network elements run a little ahead.
AHEAD = timedelta(minutes=5)
OLDEST = timedelta(days=366)
MOST = {"data": 10**14, "call": 10**6, "sms": 10**4, "mms": 10**4}
MOST_COST = 10**9
UNIT_OF = {"data": "bytes", "call": "seconds", "sms": "count", "mms": "count"}
BUCKETS_OF = {"data": ("data",), "call": ("voice",), "sms": ("sms",), "mms": ("mms", "sms")}
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Tank:
    """A bucket while a batch drinks from it."""

    id: UUID
    customer_id: UUID
    kind: str
    scope: str
    currency: str | None
    remaining: int
    is_unlimited: bool
    blocker: bool
    counts_mms: bool
    starts_at: datetime | None
    expires_at: datetime | None
    taken: int = 0

    def give(self, asked: int) -> int:
        given = asked if self.is_unlimited else min(asked, max(0, self.remaining))
        if not self.is_unlimited:
            self.remaining -= given
        self.taken += given
        return given

    def is_open(self, at: datetime) -> bool:
        """A use belongs to what was there when it began, even if its record comes later."""
        return (self.starts_at is None or self.starts_at <= at) and (self.expires_at is None or at < self.expires_at)


@dataclass(slots=True)
class Line:
    """A service while a batch is counted."""

    id: UUID
    customer_id: UUID
    currency: str
    tanks: list[Tank] = field(default_factory=list)
    queues: dict[tuple[str, str], list[Tank]] = field(default_factory=dict)

    def queue(self, kind: str, class_: str) -> list[Tank]:
        """The tanks for this use in their order; `kind` of a use or "money"."""
        found = self.queues.get((kind, class_))
        if found is None:
            scopes, kinds = COVERED_BY[class_], BUCKETS_OF.get(kind, (kind,))
            found = [tank for tank in self.tanks if tank.kind in kinds and tank.scope in scopes]
            if kind == "mms":
                found = [tank for tank in found if tank.kind == "mms" or tank.counts_mms]
            self.queues[kind, class_] = found
        return found


@dataclass(slots=True)
class Batch:
    """What a batch will write, and what it will not."""

    now: datetime
    records: list[tuple[Any, ...]] = field(default_factory=list)
    parts: list[tuple[Any, ...]] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    repeated: int = 0

    def refuse(self, at: int, use: Use, why: str) -> bool:
        """Whether there is a reason to."""
        if why:
            self.refused.append(Refused(at, use.id, why))
        return bool(why)


async def take(uses: Sequence[Use]) -> Taken:
    """One transaction. Raises Duplicate where another process counts the same use for another service just now."""
    batch = Batch(clock.now())
    good = [(at, use) for at, use in enumerate(uses) if not batch.refuse(at, use, wrong(use, batch.now))]
    async with transaction() as tx:
        lines = await _lines({use.service for _at, use in good})
        await lock(await with_pools({line.id: line.customer_id for line in lines.values()}), batch.now)
        known = {row["external_id"]: row for row in await fetch(_KNOWN.bind(ids=[use.id for _at, use in good]))}
        await _fill(lines.values())
        for at, use in good:
            line = lines.get(use.service)
            if batch.refuse(at, use, _wrong_for(use, line)) or line is None:
                continue
            if use.id in known:
                _again(batch, at, use, line, known[use.id])
            else:
                known[use.id] = _count(batch, use, line)
        await _write(tx, batch, lines.values())
    counted = frozenset(record[2] for record in batch.records)
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


async def with_pools(services: Mapping[UUID, UUID]) -> dict[UUID, UUID]:
    """These services by customer, and all that share a bucket with one of them."""
    found = dict(services)
    for row in await fetch(_POOLS.bind(customers=set(services.values()))) if services else ():
        sharing = {row["service_id"], *map(UUID, row["members"])}
        if sharing & services.keys():
            found |= dict.fromkeys(sharing, row["customer_id"])
    return found


async def lock(services: Mapping[UUID, UUID], now: datetime) -> None:
    """Counts the meters up, in one order for everybody, and so waits until nobody else changes these services."""
    rows = sorted(services.items())
    await execute_many(_COUNT_UP, ({"service": service, "customer": owner, "now": now} for service, owner in rows))


def _wrong_for(use: Use, line: Line | None) -> str:
    if line is None:
        return _("We know no such service.")
    if use.currency is not None and use.currency != line.currency:
        words = _("The cost is in %(theirs)s, the service in %(ours)s.")
        return words % {"theirs": use.currency, "ours": line.currency}
    if use.cost_minor and use.currency is None:
        return _("A cost needs its currency.")
    return ""


def _again(batch: Batch, at: int, use: Use, line: Line, before: Row) -> None:
    same = (before["service_id"], before["kind"], before["started_at"]) == (line.id, use.kind, use.at)
    if same and before[UNIT_OF[use.kind]] == use.amount:
        batch.repeated += 1
    else:
        batch.refuse(at, use, _("This id was used for something else before."))


def _count(batch: Batch, use: Use, line: Line) -> Row:
    id, left, blocked = new_id(), use.amount, False
    parts: list[tuple[UUID, int]] = []
    if use.direction == "out" or use.class_ == "roaming":
        left, blocked = _drink(line.queue(use.kind, use.class_), left, use.at, parts)
    cost = 0 if blocked or not use.cost_minor else round_half_up(use.cost_minor * left, use.amount)
    if cost:
        _drink(line.queue("money", use.class_), cost, use.at, parts)
    unit = UNIT_OF[use.kind]
    seconds = use.amount if unit == "seconds" else use.seconds
    size, count = use.amount if unit == "bytes" else 0, use.amount if unit == "count" else 0
    batch.records.append(
        (
            *(id, line.customer_id, line.id, use.kind, use.direction, use.class_, use.at, seconds, size, count),
            *(use.other_party, use.country, cost, line.currency, parts[0][0] if parts else None, batch.now, use.id),
        )
    )
    batch.parts.extend((id, bucket, line.customer_id, amount, use.at) for bucket, amount in parts)
    return {
        "service_id": line.id,
        "kind": use.kind,
        "started_at": use.at,
        "seconds": seconds,
        "bytes": size,
        "count": count,
    }


def _drink(queue: list[Tank], left: int, at: datetime, parts: list[tuple[UUID, int]]) -> tuple[int, bool]:
    """What no tank could give, and whether an empty blocker stopped it."""
    for tank in queue:
        if tank.is_open(at):
            if given := tank.give(left):
                parts.append((tank.id, given))
                left -= given
                if not left:
                    return 0, False
            if tank.blocker:
                return left, True
    return left, False


async def _lines(names: Collection[str]) -> dict[str, Line]:
    """By the name each was called: our id, the charging account or the number."""
    ids = [name for name in names if _is_id(name)]
    others = [name for name in names if not _is_id(name)]
    numbers = [name for name in others if name.startswith("+")]
    rows = await fetch(_BY_ID.bind(ids=[UUID(name) for name in ids])) if ids else []
    lines = {str(row["id"]): Line(**row) for row in rows}
    found = {name: lines[key] for name in ids if (key := str(UUID(name))) in lines}
    for statement, asked in ((_BY_ACCOUNT, [name for name in names if name not in found]), (_BY_NUMBER, numbers)):
        for row in await fetch(statement.bind(names=asked)) if asked else ():
            name = row.pop("name")
            found[name] = lines.setdefault(str(row["id"]), Line(**row))
    return found


def _is_id(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True


async def _fill(lines: Collection[Line]) -> None:
    """Gives each line its tanks in the order of use; a shared one is the same tank for all of its members."""
    by_id = {line.id: line for line in lines}
    if not by_id:
        return
    rows = await fetch(_TANKS.bind(services=by_id, customers={line.customer_id for line in by_id.values()}))
    rows.sort(key=lambda row: (row["consume_order"], row["expires_at"] or _NEVER, row["created_at"], row["id"]))
    for row in rows:
        of = {row.pop("service_id"), *map(UUID, row.pop("members") or ())}
        del row["consume_order"], row["created_at"]
        tank = Tank(**row)
        for service in of & by_id.keys():
            if by_id[service].customer_id == tank.customer_id:
                by_id[service].tanks.append(tank)


async def _write(tx: Tx, batch: Batch, lines: Iterable[Line]) -> None:
    if not batch.records:
        return
    await tx.insert("usage_record", _RECORD_COLUMNS, batch.records)
    if batch.parts:
        await tx.insert("consumption", _PART_COLUMNS, batch.parts)
    tanks = {tank.id: tank for line in lines for tank in line.tanks if tank.taken}
    changes = (
        {
            "customer": tank.customer_id,
            "id": tank.id,
            "taken": tank.taken,
            "left": 0 if tank.is_unlimited else tank.taken,
            "now": batch.now,
        }
        for tank in tanks.values()
    )
    await execute_many(_TAKE, changes)


_RECORD_COLUMNS = (
    *("id", "customer_id", "service_id", "kind", "direction", "class", "started_at", "seconds", "bytes", "count"),
    *("other_party", "country", "cost_minor", "currency", "bucket_id", "created_at", "external_id"),
)
_PART_COLUMNS = ("record_id", "bucket_id", "customer_id", "amount", "at")
_LINE = "SELECT id, customer_id, currency"
_BY_ID = Prepared.sql(f"{_LINE} FROM service WHERE id IN :ids")
_BY_ACCOUNT = Prepared.sql(f"{_LINE}, ocs_account AS name FROM service WHERE ocs_account IN :names")
_BY_NUMBER = Prepared.sql(f"{_LINE}, msisdn AS name FROM service WHERE msisdn IN :names AND state <> 'ended'")
_KNOWN = Prepared.sql(
    """
    SELECT external_id, service_id, kind, started_at, seconds, bytes, count FROM usage_record WHERE external_id IN :ids
    """
)
_TANK = """SELECT b.id AS id, b.customer_id AS customer_id, b.service_id AS service_id, b.members AS members,
       b.kind AS kind, b.scope AS scope, b.currency AS currency, b.remaining AS remaining,
       b.is_unlimited AS is_unlimited, b.blocker AS blocker, b.counts_mms AS counts_mms, b.starts_at AS starts_at,
       b.expires_at AS expires_at, b.consume_order AS consume_order, b.created_at AS created_at"""
# By way of the service: with two lists for one index SQLite would try every pair.
_TANKS = Prepared.sql(
    f"""
    {_TANK} FROM service s JOIN bucket b ON b.customer_id = s.customer_id AND b.service_id = s.id
     WHERE s.id IN :services AND b.members IS NULL AND NOT b.disabled
    UNION ALL
    {_TANK} FROM bucket b WHERE b.customer_id IN :customers AND b.members IS NOT NULL AND NOT b.disabled
    """,
    types={"members": as_json},
)
_POOLS = Prepared.sql(
    "SELECT customer_id, service_id, members FROM bucket WHERE customer_id IN :customers AND members IS NOT NULL",
    types={"members": as_json},
)
_COUNT_UP = Prepared.sql(
    """
    INSERT INTO usage_meter (service_id, customer_id, revision, changed_at) VALUES (:service, :customer, 1, :now)
    ON CONFLICT (service_id) DO UPDATE SET revision = usage_meter.revision + 1, changed_at = excluded.changed_at
    """
)
_TAKE = Prepared.sql(
    """
    UPDATE bucket SET remaining = remaining - :left, consumed = consumed + :taken, as_of = :now
     WHERE customer_id = :customer AND id = :id
    """
)
