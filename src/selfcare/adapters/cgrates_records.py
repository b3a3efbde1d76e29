"""Call records of a CGRateS engine: asked for page by page, never copied."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from selfcare.adapters.cgrates_snapshots import Account
from selfcare.adapters.cgrates_wire import Engine, NotThere
from selfcare.adapters.cgrates_words import KIND_OF, Dialect, go_time, moment, seconds_of
from selfcare.kernel.msisdn import show
from selfcare.kernel.numbers import whole
from selfcare.ports.charging import COVERED_BY, Asked, DayUse, Record, Records

# Usage kinds of records, by the engine's type of record.
RECORD_OF = {"voice": "call", "data": "data", "sms": "sms", "mms": "mms"}
AT_ONCE = 500
MOST_PAGES = 60

log = logging.getLogger(__name__)


async def page(
    engine: Engine, dialect: Dialect, accounts: list[Account], asked: Asked, *, after: str | None, limit: int
) -> Records:
    """`after` is how many of the engine's records were looked at so far."""
    found: list[Record] = []
    place = whole(after or "", most=999_999_999) or 0
    async for at, record in _walk(engine, dialect, accounts, asked, start=place, at_once=max(limit + 1, 50)):
        if len(found) == limit:
            return Records(tuple(found), str(place))
        if record is not None:
            found.append(record)
        place = at + 1
    return Records(tuple(found), None)


async def by_day(engine: Engine, dialect: Dialect, accounts: list[Account], asked: Asked, *, zone: str) -> list[DayUse]:
    here, days = ZoneInfo(zone), dict[tuple[Any, ...], DayUse]()
    async for _at, record in _walk(engine, dialect, accounts, asked, start=0, at_once=AT_ONCE):
        if record is None:
            continue
        day = record.started_at.astimezone(here).date()
        key = (day, record.kind, record.direction, record.class_, record.currency)
        before = days.get(key) or DayUse(
            day=day,
            kind=record.kind,
            direction=record.direction,
            class_=record.class_,
            records=0,
            seconds=0,
            bytes=0,
            count=0,
            cost_minor=0,
            currency=record.currency,
        )
        days[key] = replace(
            before,
            records=before.records + 1,
            seconds=before.seconds + record.seconds,
            bytes=before.bytes + record.bytes,
            count=before.count + record.count,
            cost_minor=before.cost_minor + record.cost_minor,
        )
    return [days[key] for key in sorted(days)]


async def _walk(
    engine: Engine, dialect: Dialect, accounts: list[Account], asked: Asked, *, start: int, at_once: int
) -> AsyncIterator[tuple[int, Record | None]]:
    """Every record of the engine with its place; None for one that was not asked for. NOT_FOUND means: no more."""
    by_name = {account.name: account for account in accounts}
    for n in range(MOST_PAGES if by_name else 0):
        offset = start + n * at_once
        try:
            rows = await engine.ask("APIerSv2.GetCDRs", _question(dialect, by_name, asked, at_once, offset))
        except NotThere:
            return
        for at, row in enumerate(rows or (), offset):
            yield at, _wanted(_record(row, by_name, dialect), asked)
        if len(rows or ()) < at_once:
            return


def _question(dialect: Dialect, accounts: Mapping[str, Account], asked: Asked, most: int, skip: int) -> dict[str, Any]:
    kinds = [f"*{type_}" for type_, kind in RECORD_OF.items() if not asked.kinds or kind in asked.kinds]
    question: dict[str, Any] = {
        "Tenants": [dialect.tenant],
        "Accounts": list(accounts),
        "ToRs": kinds,
        # One call has a record for each run; only this one is what the customer pays.
        "RunIDs": ["*default"],
        "NotSources": ["*cdrlog"],
        "OrderBy": "AnswerTime;desc",
        "Limit": most,
        "Offset": skip,
    }
    if asked.since:
        question["AnswerTimeStart"] = go_time(asked.since)
    if asked.until:
        question["AnswerTimeEnd"] = go_time(asked.until)
    return question


def _record(row: Mapping[str, Any], accounts: Mapping[str, Account], dialect: Dialect) -> Record | None:
    account, kind = accounts.get(str(row.get("Account"))), KIND_OF.get(str(row.get("ToR")), "")
    if account is None or kind not in RECORD_OF or row.get("Source") == "*cdrlog":
        return None
    try:
        at = moment(row.get("AnswerTime")) or moment(row.get("SetupTime"))
        amount = seconds_of(row.get("Usage")) if kind == "voice" else dialect.amount(kind, row.get("Usage"))
        # -1: not rated.
        cost = max(0, dialect.amount("money", row.get("Cost", 0)))
    except (ValueError, KeyError):
        log.warning("a record of the charging engine could not be read")
        return None
    if at is None:
        return None
    extra = row.get("ExtraFields") or {}
    return Record(
        id=f"{row.get('CGRID')}/{row.get('RunID')}",
        service_id=account.service_id,
        kind=RECORD_OF[kind],
        direction="in" if extra.get("direction") in ("in", "*in", "mt") else "out",
        class_=_class_of(row, extra, account.number),
        started_at=at,
        seconds=amount if kind == "voice" else 0,
        bytes=amount if kind == "data" else 0,
        count=amount if kind in ("sms", "mms") else 0,
        other_party=(str(row.get("Destination") or "") or None) if kind != "data" else None,
        country=None,
        cost_minor=cost,
        currency=account.currency,
    )


def _class_of(row: Mapping[str, Any], extra: Mapping[str, Any], number: str | None) -> str:
    """As the operator's own field says, else as the number says."""
    if (said := extra.get("class")) in COVERED_BY:
        return str(said)
    if (category := str(row.get("Category", "")).strip("*")) in COVERED_BY:
        return category
    if row.get("ToR") == "*data":
        return "on_net"
    other = str(row.get("Destination") or "")
    there = show(other if other.startswith("+") else f"+{other}").partition(" ")[0]
    return "international" if number and there != show(number).partition(" ")[0] else "off_net"


def _wanted(record: Record | None, asked: Asked) -> Record | None:
    if record is None:
        return None
    fits = (
        (not asked.kinds or record.kind in asked.kinds)
        and (not asked.classes or record.class_ in asked.classes)
        and (not asked.directions or record.direction in asked.directions)
        and (asked.since is None or record.started_at >= asked.since)
        and (asked.until is None or record.started_at < asked.until)
    )
    return record if fits else None
