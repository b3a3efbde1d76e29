"""What the usage screens read: figures through the charging port, names and what is on sale from the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.identity.identity import CustomerScope
from selfcare.kernel.errors import Unavailable
from selfcare.kernel.values import value
from selfcare.kernel.words import _
from selfcare.portal.services import queries as services
from selfcare.portal.services.queries import ServiceDetail, ServiceRow
from selfcare.portal.usage import forecast as pace
from selfcare.portal.usage.allowances import Allowance, Ranked, line_scope, of_each, summarise
from selfcare.portal.usage.balances import Balance, balance_on
from selfcare.portal.usage.days import day_of, start_of
from selfcare.portal.usage.history import Step
from selfcare.portal.usage.past import Past, amounts_of, past_of
from selfcare.portal.usage.waterfall import Waterfall, waterfall
from selfcare.ports.charging import Asked, Bucket, Charging

MOST_LOOKED_AT = 1000
# From here on one looks for a service instead of reading through.
MANY = 5
_DAY = timedelta(days=1)


@value
class ServiceUse:
    """A service and its lines."""

    row: ServiceRow
    lines: list[Allowance]


@value
class Overview:
    """`totals` is empty where the services do not fit on one page, and where some were looked for."""

    services: list[ServiceUse]
    totals: list[Allowance]
    words: str
    type: str
    types: list[tuple[str, str]]
    has_many: bool
    total: int
    page: int
    pages: int
    as_of: datetime
    stale: bool

    @property
    def is_narrowed(self) -> bool:
        return bool(self.words) or self.type != "all"


@value
class ServiceUsage:
    service: ServiceDetail
    balance: Balance
    past: Past | None
    kinds: list[str]


@value
class Busiest:
    """The days with the most data and the hours of the day in which most of it is used, of `of_days` whole days."""

    days: list[tuple[date, int]]
    hours: list[int]
    average: int
    of_days: int

    @property
    def hour_words(self) -> str:
        """18:00–19:00, 21:00–22:00"""
        return ", ".join(f"{hour:02}:00–{(hour + 1) % 24:02}:00" for hour in self.hours)


async def overview(scope: CustomerScope, charging: Charging, now: datetime, asked: services.Asked) -> Overview:
    """What is left on everything that has not ended and was looked for, 25 services a page."""
    found = await services.list_services(scope, replace(asked, state="running"), now)
    is_whole = not asked.words and asked.type == "all"
    rows = {row.id: row for row in found.rows}
    balances = await charging.balances(scope, list(rows))
    lines = of_each(balances, rows, now)
    used = [ServiceUse(row, lines[row.id]) for row in rows.values()]
    return Overview(
        services=used,
        totals=summarise(balances.buckets, balances.grants, now)
        if is_whole and 1 < found.total <= services.PER_PAGE
        else [],
        words=asked.words,
        type=asked.type,
        types=found.types,
        has_many=found.all_total > MANY,
        total=found.total,
        page=found.page,
        pages=found.pages,
        as_of=balances.as_of,
        stale=balances.stale,
    )


async def usage_of(
    scope: CustomerScope,
    charging: Charging,
    service_id: UUID,
    now: datetime,
    *,
    kind: str | None = None,
    step: Step = Step.DAY,
    until: date | None = None,
) -> ServiceUsage:
    """Everything on the usage page of one service. Raises NotFound, also for a service of somebody else."""
    service = await services.get_service(scope, service_id, now)
    balance = await balance_on(scope, charging, service, now)
    try:
        past, kinds = await past_of(scope, charging, balance, kind, step, until)
    except Unavailable:
        past, kinds = None, []
    return ServiceUsage(service, balance, past, kinds)


def waterfalls_of(balance: Balance) -> list[tuple[Allowance, Waterfall]]:
    """Where each line went since its period began; a line in debt has nothing to be told of."""
    told = []
    for line in balance.lines:
        own = [b for b in balance.buckets if b.kind == line.kind and line_scope(b.scope) == line.scope]
        fall = waterfall(own, balance.balances.grants, balance.now, since=line.period_start)
        if fall is not None and line.left >= 0:
            told.append((line, fall))
    return told


async def busiest(scope: CustomerScope, charging: Charging, balance: Balance) -> Busiest | None:
    """Of the last two weeks of data, or since it is a service; None where there was none or the meter is away."""
    zone = ZoneInfo(scope.zone)
    today = day_of(balance.now, zone)
    of_days = min(pace.DAYS_SEEN, (today - day_of(balance.row.created, zone)).days)
    asked = Asked(
        service_ids=[balance.row.id],
        kinds=frozenset({"data"}),
        since=start_of(today - of_days * _DAY, zone),
        until=start_of(today, zone),
    )
    if of_days < 1:
        return None
    try:
        days = amounts_of(await charging.history(scope, asked, zone=scope.zone), "data")
        latest = await charging.records(scope, asked, limit=MOST_LOOKED_AT)
    except Unavailable:
        return None
    hours: dict[int, int] = {}
    for record in latest.records:
        hour = record.started_at.astimezone(zone).hour
        hours[hour] = hours.get(hour, 0) + record.bytes
    if not days:
        return None
    return Busiest(
        days=sorted(days.items(), key=lambda each: -each[1])[:3],
        hours=sorted(sorted(hours, key=lambda hour: -hours[hour])[:3]),
        average=sum(days.values()) // of_days,
        of_days=of_days,
    )


def why_here(line: Allowance, place: Ranked) -> str:
    """Why a bucket is used in this place of the queue; empty where it is alone."""
    if len(line.buckets) < 2:
        return ""
    bucket, place_before = place.bucket, place.rank - 2
    before = line.buckets[place_before].bucket if place_before >= 0 else None
    if before is not None and before.consume_order == bucket.consume_order:
        return _("it ends later") if before.expires_at != bucket.expires_at else _("it is newer")
    has_plan = any(place.bucket.origin == "plan" for place in line.buckets)
    return {
        "bonus": _("a bonus goes first"),
        "gift": _("a gift goes first"),
        "rollover": _("moved over from last period, used before the plan")
        if has_plan
        else _("moved over from last period"),
        "topup": _("added on top, used before the plan") if has_plan else _("added on top"),
        "plan": _("the plan goes last"),
    }.get(bucket.origin, "")


def why_used(line: Allowance, bucket: Bucket) -> str:
    """As `why_here`, of a bucket that may have ended meanwhile."""
    return next((why_here(line, place) for place in line.buckets if place.bucket.id == bucket.id), "")


def why_put_in(bucket: Bucket) -> str:
    return {
        "bonus": _("a bonus"),
        "gift": _("a gift"),
        "rollover": _("moved over from last period"),
        "topup": _("bought on top"),
        "plan": _("comes with your plan"),
    }.get(bucket.origin, "")
