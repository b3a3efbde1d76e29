"""The lines and buckets of a batch, read under their lock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.db.engine import Row, dialect
from selfcare.db.prepared import Prepared, as_json, execute, fetch, fetch_many
from selfcare.ports.charging import COVERED_BY, FIRST_USE_ABROAD

_MAIN = ("any", "national")
_PLENTY = 2**63
BUCKETS_OF = {"data": ("data",), "call": ("voice",), "sms": ("sms",), "mms": ("mms", "sms")}


# Inside a batch ids are text: reading, comparing and writing them as UUIDs would cost more than all the counting.
@dataclass(slots=True)
class Tank:
    """A bucket while a batch drinks from it."""

    id: str
    customer_id: str
    kind: str
    scope: str
    currency: str | None
    remaining: int
    is_unlimited: int
    blocker: int
    counts_mms: int
    # As `Batch.stored` writes times: only compared with each other.
    starts_at: Any
    expires_at: Any
    # Since its period began, before this batch.
    used: int = 0
    waits_for: str | None = None
    lasts_days: int | None = None
    # Of one that waits or waited: what it was put in by.
    order_id: str | None = None
    taken: int = 0
    # The use that started it, in this batch.
    begun_at: datetime | None = None

    def give(self, asked: int) -> int:
        given = asked if self.is_unlimited else min(asked, max(0, self.remaining))
        if not self.is_unlimited:
            self.remaining -= given
        self.taken += given
        return given

    def is_open(self, at: Any, class_: str = "") -> bool:
        """A use belongs to what was there when it began, even if its record comes later."""
        if self.waits_for == FIRST_USE_ABROAD and class_ != "roaming":
            return False
        return (self.starts_at is None or self.starts_at <= at) and (self.expires_at is None or at < self.expires_at)


@dataclass(slots=True)
class Line:
    """A service while a batch is counted."""

    id: str
    customer_id: str
    currency: str
    # Where it came from or went to another customer, and when.
    handed_over_at: Any = None
    taken_over_from: str | None = None
    taken_over_at: Any = None
    before: Line | None = field(default=None, repr=False)
    after: Line | None = field(default=None, repr=False)
    tanks: list[Tank] = field(default_factory=list)
    queues: dict[tuple[str, str], list[Tank]] = field(default_factory=dict)

    def at(self, moment: datetime) -> Line:
        """Whoever had the line then: a late record is not for the new owner to read, nor a new one for the old."""
        line = self
        while line.before is not None and moment < line.taken_over_at:
            line = line.before
        while line.after is not None and moment >= line.handed_over_at:
            line = line.after
        return line

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

    def begin(self, tank: Tank, at: datetime, stored: Callable[[datetime], Any]) -> None:
        """The first use of a tank that waited for it: the clock starts for all that was put in with it."""
        for each in self.tanks:
            if each.waits_for is not None and (each is tank or each.order_id == tank.order_id is not None):
                assert each.lasts_days is not None
                each.waits_for, each.begun_at = None, at
                each.expires_at = stored(at + timedelta(days=each.lasts_days))

    def is_thin(self, now: Any) -> bool:
        """Of some kind that this batch used, half is gone: worth a closer look. Of credit always."""
        left: dict[str, int] = {}
        for tank in self.tanks:
            if tank.scope in _MAIN and tank.is_open(now):
                more = _PLENTY if tank.is_unlimited else tank.remaining - tank.used - tank.taken
                left[tank.kind] = left.get(tank.kind, 0) + more
        return any(more <= 0 or kind == "money" for kind, more in left.items())


async def lock(services: Collection[str], customers: Collection[str], now: datetime) -> None:
    """Counts the meters of these services up, and of all that share a bucket with one of them.

    In one order for everybody: who comes second waits until the first has committed.
    """
    if not services:
        return
    all_ = set(services)
    for row in await fetch(_POOLS.bind(customers=customers)):
        sharing = {row["service_id"], *row["members"]}
        if sharing & all_:
            all_ |= sharing
    await execute(_COUNT_UP.bind(services=all_, now=now))


async def lines_of(names: Collection[str]) -> dict[str, Line]:
    """By the name each was called: our id, the charging account or the number."""
    ids = {name: id for name in names if (id := _id(name))}
    lines: dict[str, Line] = {}
    found: dict[str, Line] = {}
    for row in await fetch(_BY_ID.bind(ids=ids.values())) if ids else ():
        lines[row["id"]] = Line(**row)
    found |= {name: lines[id] for name, id in ids.items() if id in lines}
    others = [name for name in names if name not in found]
    for statement in (_BY_ACCOUNT, _BY_NUMBER):
        for row in await fetch(statement.bind(names=others)) if others else ():
            name = row.pop("name")
            found[name] = lines.setdefault(row["id"], Line(**row))
    return found


async def link(lines: dict[str, Line]) -> None:
    """Lines that changed hands learn of each other, and those before and after them join, by their id."""
    looked: set[str] = set()
    while unknown := {line.id for line in lines.values() if line.handed_over_at or line.taken_over_from} - looked:
        looked |= unknown
        for row in await fetch(_OTHER_HANDS.bind(ids=unknown)):
            lines.setdefault(row["id"], Line(**row))
    for line in lines.values():
        if line.taken_over_from and (before := lines.get(line.taken_over_from)):
            line.before, before.after = before, line


def _id(name: str) -> str | None:
    """The id as the database writes it."""
    try:
        return str(UUID(name)) if len(name) == 36 else None
    except ValueError:
        return None


async def fill(lines: Mapping[str, Line], needs: Mapping[str, set[str]], since: datetime) -> None:
    """Gives each line its tanks in the order of use; a shared one is the same tank for all of its members."""
    if not lines:
        return
    customers = {line.customer_id for line in lines.values()}
    answers = await fetch_many(
        _SHARED_TANKS[dialect()].bind(customers=customers, since=since),
        *(
            _TANKS[dialect()].bind(services=some, kinds=BUCKETS_OF.get(kind, (kind,)), since=since)
            for kind, some in needs.items()
        ),
    )
    # Texts and picture messages both ask for texts.
    rows = {row["id"]: row for answer in answers for row in answer}
    for row in sorted(rows.values(), key=_place):
        of = (row["service_id"], *(row.get("members") or ()))
        tank = Tank(**{name: row[name] for name in _TANK_FIELDS})
        for service in of:
            if (line := lines.get(service)) and line.customer_id == tank.customer_id:
                line.tanks.append(tank)


def _place(row: Row) -> tuple[Any, ...]:
    """As `ports.charging.rank`."""
    ends = row["expires_at"]
    return row["place"], ends is None, ends or row["created_at"], row["created_at"], row["id"]


_LINE = """SELECT CAST(id AS TEXT) AS id, CAST(customer_id AS TEXT) AS customer_id, currency, handed_over_at,
       CAST(taken_over_from AS TEXT) AS taken_over_from, taken_over_at"""
_BY_ID = Prepared.sql(f"{_LINE} FROM service WHERE id IN :ids")
_BY_ACCOUNT = Prepared.sql(f"{_LINE}, ocs_account AS name FROM service WHERE ocs_account IN :names")
_BY_NUMBER = Prepared.sql(f"{_LINE}, msisdn AS name FROM service WHERE msisdn IN :names AND state <> 'ended'")
_OTHER_HANDS = Prepared.sql(
    f"""
    {_LINE} FROM service WHERE taken_over_from IN :ids
        OR id IN (SELECT taken_over_from FROM service WHERE id IN :ids AND taken_over_from IS NOT NULL)
    """
)
_TANK = """SELECT CAST(b.id AS TEXT) AS id, CAST(b.customer_id AS TEXT) AS customer_id,
       CAST(b.service_id AS TEXT) AS service_id, b.kind AS kind, b.scope AS scope, b.currency AS currency,
       b.remaining AS remaining, b.consumed - b.consumed_before AS used,
       CASE WHEN b.is_unlimited THEN 1 ELSE 0 END AS is_unlimited,
       CASE WHEN b.blocker THEN 1 ELSE 0 END AS blocker, CASE WHEN b.counts_mms THEN 1 ELSE 0 END AS counts_mms,
       b.consume_order AS place, b.waits_for AS waits_for, b.lasts_days AS lasts_days,
       CASE WHEN b.lasts_days IS NOT NULL THEN (
            SELECT max(CAST(g.order_id AS TEXT)) FROM allowance_grant g
             WHERE g.customer_id = b.customer_id AND g.bucket_id = b.id) END AS order_id"""
_TANK_FIELDS = [each.name for each in fields(Tank) if each.name not in ("taken", "begun_at")]
_OPEN = "NOT b.disabled AND (b.expires_at IS NULL OR b.expires_at > :since)"
# By way of the service: with two lists for one index SQLite would try every pair. SQLite hands out times as they are
# stored, which takes a fraction of the time.
_TIMES = {
    "sqlite": ", ".join(f"CAST(b.{name} AS TEXT) AS {name}" for name in ("starts_at", "expires_at", "created_at")),
    "postgres": "b.starts_at AS starts_at, b.expires_at AS expires_at, b.created_at AS created_at",
}
_TANKS = {
    dialect: Prepared.sql(
        f"""
        {_TANK}, {times} FROM service s JOIN bucket b ON b.customer_id = s.customer_id AND b.service_id = s.id
         WHERE s.id IN :services AND b.kind IN :kinds AND b.members IS NULL AND {_OPEN}
        """
    )
    for dialect, times in _TIMES.items()
}
_SHARED_TANKS = {
    dialect: Prepared.sql(
        f"""
        {_TANK}, {times}, b.members AS members FROM bucket b
         WHERE b.customer_id IN :customers AND b.members IS NOT NULL AND {_OPEN}
        """,
        types={"members": as_json},
    )
    for dialect, times in _TIMES.items()
}
_POOLS = Prepared.sql(
    """
    SELECT CAST(service_id AS TEXT) AS service_id, members FROM bucket
     WHERE customer_id IN :customers AND members IS NOT NULL
    """,
    types={"members": as_json},
)
_COUNT_UP = Prepared.sql(
    """
    INSERT INTO usage_meter (service_id, customer_id, revision, changed_at)
    SELECT id, customer_id, 1, COALESCE(:now, created_at) FROM service WHERE id IN :services ORDER BY id
    ON CONFLICT (service_id) DO UPDATE SET revision = usage_meter.revision + 1, changed_at = excluded.changed_at
    """
)
