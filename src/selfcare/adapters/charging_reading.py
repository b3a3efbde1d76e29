"""Reads of the charging tables: buckets, records, sums by day. A fixed number of statements, whatever is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.db.engine import Row, dialect
from selfcare.db.prepared import Bound, Prepared, as_date, as_json, fetch, fetch_many, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.place import Place
from selfcare.ports.charging import (
    MOST_RECORDS,
    Asked,
    Balances,
    Bucket,
    DayUse,
    Granted,
    Part,
    Plan,
    Record,
    Records,
    Tenant,
)

# What ended longer ago is in no total and on no page any more.
ENDED_SHOWN_FOR = timedelta(days=62)
SOME = 50
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def wanted(who: Tenant, service_ids: Collection[UUID] | None) -> frozenset[UUID] | None:
    """The services that are asked for and may be seen; None means every one of the customer."""
    if service_ids is None:
        return who.service_ids
    asked = frozenset(service_ids)
    return asked if who.service_ids is None else asked & who.service_ids


async def balances(who: Tenant, service_ids: Collection[UUID] | None) -> Balances:
    now, services = clock.now(), wanted(who, service_ids)
    asked = {"customer": who.customer_id}
    since = now - ENDED_SHOWN_FOR
    if services is None:
        found, grants = await fetch_many(_BUCKETS.bind(**asked, since=since), _GRANTS.bind(**asked, now=now))
        return Balances(tuple(map(a_bucket, found)), tuple(map(_granted, grants)), now)
    if not services:
        return Balances((), (), now)
    whose, short = {"since": since, "services": services}, len(services) <= SOME
    reads = _OWN_BUCKETS.bind(**asked, **whose), _OWN_GRANTS.bind(**asked, **whose, now=now)
    own, grants = await fetch_many(*reads, short=short)
    shared: list[Row] = []
    if not own or own[0]["pooled"]:
        own, grants, shared = await fetch_many(*reads, _SHARED_BUCKETS.bind(**asked, since=since), short=short)
    buckets = {bucket.id: bucket for bucket in map(a_bucket, own)}
    pools = (bucket for bucket in map(a_bucket, shared) if bucket.members & services)
    buckets |= {bucket.id: bucket for bucket in pools}
    return Balances(tuple(buckets.values()), tuple(map(_granted, grants)), now)


async def revision(who: Tenant, service_ids: Collection[UUID] | None) -> str:
    services = wanted(who, service_ids)
    asked = {"customer": who.customer_id, "now": clock.now()}
    row = await fetch_one(
        _REVISION.bind(**asked) if services is None else _OWN_REVISION.bind(**asked, services=services)
    )
    return f"{row['changes']}-{row['ended']}" if row else "0"


async def records(who: Tenant, asked: Asked, *, after: str | None, limit: int) -> Records:
    # What nobody gave out starts at the beginning.
    place = Place.parse(after or "") or Place(LAST, UUID(int=0))
    limit = max(1, min(limit, MOST_RECORDS))
    # SQLite seeks by `until` and not by the pair: else every page would pass over all the pages before it again.
    asked = replace(asked, until=min(asked.until or LAST, min(place.at, LAST) + _TICK))
    rows = await fetch(_asking(_RECORDS, who, asked, at=place.at, id=place.id, most=limit + 1))
    parts = await _parts(who, [row["id"] for row in rows[:limit]])
    found = tuple(_record(row, parts) for row in rows[:limit])
    more = str(Place(rows[limit - 1]["started_at"], rows[limit - 1]["id"])) if len(rows) > limit else None
    return Records(found, more)


async def history(who: Tenant, asked: Asked, *, zone: str) -> list[DayUse]:
    """The database adds up by day; where the clocks change inside the time asked for, once for each side."""
    stretches = list(_stretches(asked.since or FIRST, asked.until or clock.now(), ZoneInfo(zone)))
    reads = [
        _asking(_HISTORY[dialect()], who, asked, since=start, until=end, shift=shift) for start, end, shift in stretches
    ]
    days: dict[tuple[Any, ...], DayUse] = {}
    for rows in await fetch_many(*reads) if reads else ():
        for row in rows:
            one = DayUse(class_=row.pop("class"), **row)
            key = (one.day, one.kind, one.direction, one.class_, one.currency)
            days[key] = _together(days[key], one) if key in days else one
    return [days[key] for key in sorted(days)]


async def plan(who: Tenant, service_id: UUID) -> Plan | None:
    if who.service_ids is not None and service_id not in who.service_ids:
        return None
    row = await fetch_one(_PLAN.bind(customer=who.customer_id, service=service_id, now=clock.now()))
    return Plan(**row) if row else None


def a_bucket(row: Row) -> Bucket:
    known = row["granted"] is not None
    consumed = row["consumed"] - row["consumed_before"] if known else None
    return Bucket(
        id=row["id"],
        service_id=row["service_id"],
        kind=row["kind"],
        label=row["label"],
        origin=row["origin"],
        currency=row["currency"],
        remaining=row["remaining"],
        is_unlimited=row["is_unlimited"],
        consume_order=row["consume_order"],
        scope=row["scope"],
        starts_at=row["starts_at"],
        expires_at=row["expires_at"],
        blocker=row["blocker"],
        disabled=row["disabled"],
        counts_mms=row["counts_mms"],
        created_at=row["created_at"],
        members=frozenset(map(UUID, row["members"])) if row["members"] else frozenset(),
        consumed=consumed,
        granted=None if consumed is None or row["is_unlimited"] else consumed + row["remaining"],
        period_start=row["period_started_at"],
        waits_for=row["waits_for"],
        lasts_days=row["lasts_days"],
    )


def _granted(row: Row) -> Granted:
    return Granted(**row)


def _record(row: Row, parts: dict[UUID, tuple[Part, ...]]) -> Record:
    return Record(
        id=str(row["id"]),
        service_id=row["service_id"],
        kind=row["kind"],
        direction=row["direction"],
        class_=row["class"],
        started_at=row["started_at"],
        seconds=row["seconds"],
        bytes=row["bytes"],
        count=row["count"],
        other_party=row["other_party"],
        country=row["country"],
        cost_minor=row["cost_minor"],
        currency=row["currency"],
        parts=parts.get(row["id"], ()),
    )


async def _parts(who: Tenant, ids: list[UUID]) -> dict[UUID, tuple[Part, ...]]:
    parts: dict[UUID, tuple[Part, ...]] = {}
    for row in await fetch(_PARTS.bind(customer=who.customer_id, ids=ids)) if ids else ():
        record = row.pop("record_id")
        parts[record] = (*parts.get(record, ()), Part(**row))
    return parts


def _asking(statements: dict[str, Prepared], who: Tenant, asked: Asked, **more: Any) -> Bound:
    services = wanted(who, asked.service_ids)
    values = {
        "customer": who.customer_id,
        "since": asked.since or FIRST,
        "until": asked.until or LAST,
        "any_kind": int(not asked.kinds),
        "kinds": asked.kinds,
        "any_class": int(not asked.classes),
        "classes": asked.classes,
        "any_direction": int(not asked.directions),
        "directions": asked.directions,
    }
    if services is None:
        return statements["all"].bind(**(values | more))
    if len(services) == 1:
        (service,) = services
        return statements["one"].bind(**(values | more), service=service)
    return statements["some"].bind(**(values | more), services=services)


def _stretches(since: datetime, until: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime, int]]:
    """The time between, cut where the clocks of the zone change; each with its seconds ahead of UTC."""
    start = since
    while start < until:
        shift = _shift(start, zone)
        end = start
        while end < until and _shift(end, zone) == shift:
            end = min(until, end + timedelta(days=1))
        if _shift(end, zone) != shift:
            end = _change(max(start, end - timedelta(days=1)), end, zone)
        yield start, end, shift
        start = end


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the clocks change between these two."""
    old = _shift(before, zone)
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if _shift(middle, zone) == old else (before, middle)
    return after


def _shift(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _together(one: DayUse, other: DayUse) -> DayUse:
    """The day on which the clocks change comes in two parts."""
    return DayUse(
        day=one.day,
        kind=one.kind,
        direction=one.direction,
        class_=one.class_,
        records=one.records + other.records,
        seconds=one.seconds + other.seconds,
        bytes=one.bytes + other.bytes,
        count=one.count + other.count,
        cost_minor=one.cost_minor + other.cost_minor,
        currency=one.currency,
    )


_COLUMNS = """id, service_id, members, kind, label, origin, currency, remaining, is_unlimited, consume_order, scope,
       starts_at, expires_at, blocker, disabled, counts_mms, created_at, granted, consumed, consumed_before,
       period_started_at, waits_for, lasts_days"""
_SEEN = "FROM bucket WHERE customer_id = :customer AND (expires_at IS NULL OR expires_at > :since)"
_BUCKETS = Prepared.sql(f"SELECT {_COLUMNS} {_SEEN}", types={"members": as_json})
# Few customers share anything: the others are spared a statement.
_OWN_BUCKETS = Prepared.sql(
    f"""
    SELECT {_COLUMNS},
           EXISTS (SELECT 1 FROM bucket p WHERE p.customer_id = :customer AND p.members IS NOT NULL) AS pooled
      {_SEEN} AND service_id IN :services
    """,
    types={"members": as_json},
)
_SHARED_BUCKETS = Prepared.sql(f"SELECT {_COLUMNS} {_SEEN} AND members IS NOT NULL", types={"members": as_json})

_GRANT = """SELECT g.bucket_id AS bucket_id, g.amount AS amount, g.period_start AS period_start,
       g.period_end AS period_end, g.mode AS mode, g.reason AS reason
  FROM allowance_grant g"""
_CURRENT = "g.customer_id = :customer AND g.period_start <= :now AND (g.period_end IS NULL OR g.period_end > :now)"
_GRANTS = Prepared.sql(f"{_GRANT} WHERE {_CURRENT}")
# Credit that was bought and has ended is still the last top-up.
_OWN_GRANTS = Prepared.sql(
    f"""
    {_GRANT} JOIN bucket b ON b.customer_id = g.customer_id AND b.id = g.bucket_id
     WHERE g.customer_id = :customer AND g.period_start <= :now
       AND (g.period_end IS NULL OR g.period_end > :now
            OR (g.period_end > :since AND g.reason = 'purchase' AND b.kind = 'money'))
       AND b.customer_id = :customer AND (b.service_id IN :services OR b.members IS NOT NULL)
    """
)

# A bucket that ends changes what is left without any use.
_REVISION = Prepared.sql(
    """
    SELECT (SELECT COALESCE(sum(revision), 0) FROM usage_meter WHERE customer_id = :customer) AS changes,
           (SELECT count(*) FROM bucket WHERE customer_id = :customer AND expires_at <= :now) AS ended
    """,
    types={"changes": int},
)
_OWN_REVISION = Prepared.sql(
    """
    SELECT (SELECT COALESCE(sum(revision), 0) FROM usage_meter
             WHERE customer_id = :customer AND service_id IN :services) AS changes,
           (SELECT count(*) FROM bucket
             WHERE customer_id = :customer AND service_id IN :services AND expires_at <= :now) AS ended
    """,
    types={"changes": int},
)

_FILTER = """customer_id = :customer AND started_at >= :since AND started_at < :until
       AND (:any_kind = 1 OR kind IN :kinds) AND (:any_class = 1 OR class IN :classes)
       AND (:any_direction = 1 OR direction IN :directions)"""
_WHOSE = {"all": "", "one": "AND service_id = :service", "some": "AND service_id IN :services"}
_RECORD = f"""SELECT id, service_id, kind, direction, class, started_at, seconds, bytes, count, other_party, country,
       cost_minor, currency
  FROM usage_record
 WHERE {_FILTER} AND (started_at, id) < (:at, :id)"""
_RECORDS = {
    whose: Prepared.sql(f"{_RECORD} {condition} ORDER BY started_at DESC, id DESC LIMIT :most")
    for whose, condition in _WHOSE.items()
}
_PARTS = Prepared.sql(
    """
    SELECT c.record_id AS record_id, c.bucket_id AS bucket_id, b.label AS label, b.kind AS kind, c.amount AS amount
      FROM consumption c JOIN bucket b ON b.customer_id = c.customer_id AND b.id = c.bucket_id
     WHERE c.customer_id = :customer AND c.record_id IN :ids
     ORDER BY c.record_id, b.consume_order, b.id
    """
)
_DAY = {
    "sqlite": "date(started_at, :shift || ' seconds')",
    "postgres": "CAST((started_at AT TIME ZONE 'UTC') + CAST(:shift AS integer) * INTERVAL '1 second' AS date)",
}
_SUMS = {"day": as_date} | dict.fromkeys(("records", "seconds", "bytes", "count", "cost_minor"), int)
_HISTORY = {
    dialect: {
        whose: Prepared.sql(
            f"""
            SELECT {day} AS day, kind, direction, class, currency, count(*) AS records, sum(seconds) AS seconds,
                   sum(bytes) AS bytes, sum(count) AS count, sum(cost_minor) AS cost_minor
              FROM usage_record WHERE {_FILTER} {condition}
             GROUP BY 1, kind, direction, class, currency
            """,
            types=_SUMS,
        )
        for whose, condition in _WHOSE.items()
    }
    for dialect, day in _DAY.items()
}

_PLAN = Prepared.sql(
    """
    SELECT b.label AS label, g.period_start AS period_start, g.period_end AS period_end
      FROM bucket b LEFT JOIN allowance_grant g ON g.customer_id = b.customer_id AND g.bucket_id = b.id
           AND g.period_start <= :now AND (g.period_end IS NULL OR g.period_end > :now)
     WHERE b.customer_id = :customer AND b.service_id = :service AND b.origin = 'plan'
     ORDER BY CASE WHEN g.period_end IS NULL THEN 1 ELSE 0 END, g.period_end, b.id LIMIT 1
    """
)
