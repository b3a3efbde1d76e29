"""What the usage screens read: figures through the charging port, names and what is on sale from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.db.prepared import Prepared, as_json, fetch
from selfcare.identity.identity import CustomerScope
from selfcare.kernel.errors import NotFound, Unavailable
from selfcare.kernel.words import _
from selfcare.portal.services import queries as services
from selfcare.portal.services.queries import ServiceDetail, ServiceRow
from selfcare.portal.services.speed import Speed
from selfcare.portal.usage import forecast as pace
from selfcare.portal.usage import history
from selfcare.portal.usage.allowances import Allowance, Ranked, summarise
from selfcare.portal.usage.forecast import Beyond, Forecast, Tank, TooEarly, TooUneven
from selfcare.portal.usage.history import Chart, Step
from selfcare.portal.usage.waterfall import Waterfall, waterfall
from selfcare.ports.charging import Asked, Balances, Bucket, Charging, DayUse

CHARTED = {"data": ("data",), "voice": ("call",), "sms": ("sms", "mms")}
MOST_LOOKED_AT = 1000
_DAY = timedelta(days=1)

_TOPUPS = Prepared.sql(
    """
    SELECT t.slug AS slug, t.name AS name, t.price_minor AS price_minor, t.currency AS currency, t.grants AS grants
      FROM product t
     WHERE t.category = 'topup' AND t.enabled AND t.service_type = :type AND t.custom_min_minor IS NULL
       AND (t.on_sale_from IS NULL OR t.on_sale_from <= :now) AND (t.on_sale_until IS NULL OR t.on_sale_until > :now)
     ORDER BY t.sort, t.price_minor, t.name
     LIMIT 40
    """,
    types={"grants": as_json},
)


_EXISTS = Prepared.sql("SELECT id FROM service WHERE customer_id = :customer_id AND id = :id")


@dataclass(frozen=True, slots=True)
class ServiceUse:
    """A service and its lines."""

    row: ServiceRow
    lines: list[Allowance]


@dataclass(frozen=True, slots=True)
class Overview:
    """`totals` is empty where the services do not fit on one page."""

    services: list[ServiceUse]
    totals: list[Allowance]
    page: int
    pages: int
    as_of: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left on one service. `revision` changes when it may have."""

    row: ServiceRow
    lines: list[Allowance]
    buckets: Sequence[Bucket]
    balances: Balances
    revision: str
    last_topup: TopUp | None
    speed: Speed
    now: datetime

    @property
    def as_of(self) -> datetime:
        return self.balances.as_of

    @property
    def stale(self) -> bool:
        return self.balances.stale

    @property
    def used_of_full_speed(self) -> int | None:
        """What counts toward slowing down: data of allowances without an end, since the period began."""
        if self.speed.full_speed_bytes is None:
            return None
        unlimited = [b for b in self.buckets if b.kind == "data" and b.is_unlimited and b.is_live(self.now)]
        return sum(b.consumed for b in unlimited if b.consumed is not None)

    def line(self, kind: str, scope: str = "any") -> Allowance | None:
        return next((line for line in self.lines if line.kind == kind and line.scope == scope), None)


@dataclass(frozen=True, slots=True)
class TopUp:
    at: datetime
    amount: int
    currency: str | None


@dataclass(frozen=True, slots=True)
class ClassUse:
    """Calls or messages of one class. `amount` is seconds or a count."""

    class_: str
    amount: int
    records: int
    cost_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Used:
    """What was used since `since`, apart by class; what was used abroad is apart from all of it."""

    since: date
    data: int
    calls: list[ClassUse]
    texts: list[ClassUse]
    mms: int
    roaming: list[ClassUse]
    roaming_data: int

    @property
    def seconds(self) -> int:
        return sum(each.amount for each in self.calls)

    @property
    def messages(self) -> int:
        return sum(each.amount for each in self.texts)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A top-up on sale, and what it would make of the forecast."""

    slug: str
    name: str
    amount: int
    outlook: Forecast | None


@dataclass(frozen=True, slots=True)
class Past:
    """From the records: None in `ServiceUsage` where the meter did not answer."""

    chart: Chart
    kind: str
    used: Used
    outlook: Forecast | TooEarly | TooUneven | None
    what_ifs: list[WhatIf]
    beyond: Beyond | None
    currency: str


@dataclass(frozen=True, slots=True)
class ServiceUsage:
    service: ServiceDetail
    balance: Balance
    past: Past | None
    kinds: list[str]


@dataclass(frozen=True, slots=True)
class Busiest:
    """The days with the most data and the hours of the day in which most of it is used."""

    days: list[tuple[date, int]]
    hours: list[int]
    average: int

    @property
    def hour_words(self) -> str:
        """18:00–19:00, 21:00–22:00"""
        return ", ".join(f"{hour:02}:00–{(hour + 1) % 24:02}:00" for hour in self.hours)


async def overview(scope: CustomerScope, charging: Charging, now: datetime, *, page: int = 1) -> Overview:
    """What is left on everything that has not ended, 25 services a page."""
    found = await services.list_services(scope, services.Asked(state="running", page=page), now)
    rows = {row.id: row for row in found.rows}
    balances = await charging.balances(scope, list(rows))
    used = [ServiceUse(row, summarise(balances.of(row.id), balances.grants, now)) for row in rows.values()]
    return Overview(
        services=used,
        totals=summarise(balances.buckets, balances.grants, now) if 1 < found.total <= services.PER_PAGE else [],
        page=found.page,
        pages=found.pages,
        as_of=balances.as_of,
        stale=balances.stale,
    )


async def balance_of(scope: CustomerScope, charging: Charging, service_id: UUID, now: datetime) -> Balance:
    """Raises NotFound, also for a service of somebody else."""
    service = await services.get_service(scope, service_id, now)
    return await _balance(scope, charging, service, now)


async def must_have(scope: CustomerScope, service_id: UUID) -> None:
    """Raises NotFound, also for a service of somebody else."""
    if not scope.covers(service_id) or not await fetch(_EXISTS.bind(customer_id=scope.customer_id, id=service_id)):
        raise NotFound


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
    balance = await _balance(scope, charging, service, now)
    try:
        past, kinds = await _past(scope, charging, balance, kind, step, until)
    except Unavailable:
        past, kinds = None, []
    return ServiceUsage(service, balance, past, kinds)


def waterfall_of(balance: Balance, kind: str) -> Waterfall | None:
    """Where the main line of this kind went since its period began."""
    line = balance.line(kind)
    own = [bucket for bucket in balance.buckets if bucket.kind == kind and bucket.scope in ("any", "national")]
    return waterfall(own, balance.balances.grants, balance.now, since=line.period_start if line else None)


async def busiest(scope: CustomerScope, charging: Charging, balance: Balance) -> Busiest | None:
    """Of the last two weeks of data; None where there was none or the meter does not answer."""
    zone = ZoneInfo(scope.zone)
    today = _day(balance.now, zone)
    asked = Asked(
        service_ids=[balance.row.id],
        kinds=frozenset({"data"}),
        since=_start(today - pace.DAYS_SEEN * _DAY, zone),
        until=balance.now + timedelta(microseconds=1),
    )
    try:
        days = _amounts(await charging.history(scope, asked, zone=scope.zone), "data")
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
        average=sum(days.values()) // pace.DAYS_SEEN,
    )


def why_here(line: Allowance, place: Ranked) -> str:
    """Why a bucket is used in this place of the queue; empty where it is alone."""
    if len(line.buckets) < 2:
        return ""
    bucket, place_before = place.bucket, place.rank - 2
    before = line.buckets[place_before].bucket if place_before >= 0 else None
    if before is not None and before.consume_order == bucket.consume_order:
        return _("it ends later") if before.expires_at != bucket.expires_at else _("it is newer")
    return {
        "bonus": _("a bonus goes first"),
        "gift": _("a gift goes first"),
        "rollover": _("moved over from last period, used before the plan"),
        "topup": _("added on top, used before the plan"),
        "plan": _("the plan goes last"),
    }.get(bucket.origin, "")


async def _balance(scope: CustomerScope, charging: Charging, service: ServiceDetail, now: datetime) -> Balance:
    row = service.row
    # Before the figures: what changes in between is seen at the next question.
    try:
        revision = await charging.revision(scope, [row.id])
    except Unavailable:
        revision = ""
    balances = await charging.balances(scope, [row.id])
    buckets = balances.of(row.id)
    return Balance(
        row=row,
        lines=summarise(buckets, balances.grants, now),
        buckets=buckets,
        balances=balances,
        revision=revision,
        last_topup=_last_topup(buckets, balances, now),
        speed=service.speed,
        now=now,
    )


def _last_topup(buckets: Sequence[Bucket], balances: Balances, now: datetime) -> TopUp | None:
    credit = {bucket.id: bucket.currency for bucket in buckets if bucket.kind == "money"}
    bought = [
        TopUp(grant.period_start, grant.amount, credit[grant.bucket_id])
        for grant in balances.grants
        if grant.bucket_id in credit and grant.reason == "purchase" and grant.period_start <= now
    ]
    return max(bought, key=lambda topup: topup.at, default=None)


async def _past(
    scope: CustomerScope, charging: Charging, balance: Balance, kind: str | None, step: Step, until: date | None
) -> tuple[Past, list[str]]:
    zone, today = ZoneInfo(scope.zone), balance.now.astimezone(ZoneInfo(scope.zone)).date()
    known_since = max(balance.row.created.astimezone(zone).date(), history.earliest(today))
    first, _last = history.span(step, today=today, until=until)
    month = today.replace(day=1)
    began = min([month, *(_day(line.period_start, zone) for line in balance.lines if line.period_start)])
    asked = Asked(
        service_ids=[balance.row.id],
        since=_start(max(known_since, min(first, today - pace.DAYS_SEEN * _DAY, began)), zone),
        until=balance.now + timedelta(microseconds=1),
    )
    days = await charging.history(scope, asked, zone=scope.zone)
    kinds = _kinds(balance.lines, days)
    chosen = kind if kind in kinds else kinds[0] if kinds else "data"
    amounts = _amounts(days, chosen)
    line = balance.line(chosen)
    outlook = _outlook(line, amounts, known_since, balance.now, zone) if line else None
    what_ifs = await _what_ifs(balance, chosen, line, amounts, known_since, zone) if outlook else []
    return (
        Past(
            chart=history.chart(amounts, step, known_since=known_since, today=today, until=until),
            kind=chosen,
            used=_used(days, _day(line.period_start, zone) if line and line.period_start else month, month),
            outlook=outlook,
            what_ifs=what_ifs,
            beyond=_beyond(balance, days, known_since, month, zone),
            currency=next((day.currency for day in days), ""),
        ),
        kinds,
    )


def _beyond(balance: Balance, days: Sequence[DayUse], known_since: date, month: date, zone: ZoneInfo) -> Beyond | None:
    """What no allowance covered in the plan's period; without one in the month."""
    main = next((line for line in balance.lines if line.period_end and line.scope == "any"), None)
    began = _day(main.period_start, zone) if main and main.period_start else month
    last = _last_day(main.period_end, zone) if main else None
    today = _day(balance.now, zone)
    costs = {day: 0 for n in range(1, pace.DAYS_SEEN + 1) if (day := today - n * _DAY) > known_since}
    so_far = 0
    for used in days:
        if used.day in costs:
            costs[used.day] += used.cost_minor
        so_far += used.cost_minor if used.day >= began else 0
    next_month = (month + 31 * _DAY).replace(day=1)
    return pace.beyond(costs, so_far, today=today, last_day=last or next_month - _DAY)


def _kinds(lines: Sequence[Allowance], days: Sequence[DayUse]) -> list[str]:
    held = {line.kind for line in lines}
    seen = {day.kind for day in days}
    return [kind for kind, of in CHARTED.items() if kind in held or seen & set(of)]


def _amounts(days: Sequence[DayUse], kind: str) -> dict[date, int]:
    """By day, what counts as use of this kind: calls and messages going out, all data."""
    amounts: dict[date, int] = {}
    for day in days:
        if day.kind in CHARTED[kind] and (day.kind == "data" or day.direction == "out"):
            amounts[day.day] = amounts.get(day.day, 0) + _amount(day)
    return amounts


def _amount(day: DayUse) -> int:
    return {"data": day.bytes, "call": day.seconds}.get(day.kind, day.count)


def _outlook(
    line: Allowance, amounts: Mapping[date, int], known_since: date, now: datetime, zone: ZoneInfo
) -> Forecast | TooEarly | TooUneven | None:
    if line.is_unlimited or not line.buckets or line.is_used_up:
        return None
    return _forecast(line, _tanks(line, zone), amounts, known_since, now, zone)


def _forecast(
    line: Allowance,
    tanks: Sequence[Tank],
    amounts: Mapping[date, int],
    known_since: date,
    now: datetime,
    zone: ZoneInfo,
) -> Forecast | TooEarly | TooUneven:
    today = now.astimezone(zone).date()
    # A day without a record since the service began is a day without use.
    seen = [today - n * _DAY for n in range(1, pace.DAYS_SEEN + 1)]
    days = {day: amounts.get(day, 0) for day in seen if day > known_since}
    midnight, next_midnight = _start(today, zone), _start(today + _DAY, zone)
    return pace.forecast(
        days,
        tanks,
        today=today,
        today_left_permille=(next_midnight - now) * 1000 // (next_midnight - midnight),
        last_day=_last_day(line.period_end, zone),
    )


def _tanks(line: Allowance, zone: ZoneInfo) -> list[Tank]:
    return [Tank(place.bucket.remaining, _last_day(place.bucket.expires_at, zone)) for place in line.buckets]


async def _what_ifs(
    balance: Balance,
    kind: str,
    line: Allowance | None,
    amounts: Mapping[date, int],
    known_since: date,
    zone: ZoneInfo,
) -> list[WhatIf]:
    if line is None:
        return []
    today = balance.now.astimezone(zone).date()
    tanks, found = _tanks(line, zone), []
    for product in await fetch(_TOPUPS.bind(type=balance.row.type, now=balance.now)):
        grant = next((each for each in product["grants"] if each["kind"] == kind and each["scope"] == "any"), None)
        if grant is None or grant["amount"] is None or grant["mode"] != "add":
            continue
        lasts = grant["lifetime_days"]
        more = pace.with_more(
            tanks,
            grant["amount"],
            place=sum(each.bucket.consume_order < grant["consume_order"] for each in line.buckets),
            last_day=None if lasts is None else today + (lasts - 1) * _DAY,
        )
        outlook = _forecast(line, more, amounts, known_since, balance.now, zone)
        found.append(
            WhatIf(
                product["slug"], product["name"], grant["amount"], outlook if isinstance(outlook, Forecast) else None
            )
        )
    return found


def _used(days: Sequence[DayUse], period: date, month: date) -> Used:
    calls: dict[str, ClassUse] = {}
    texts: dict[str, ClassUse] = {}
    abroad: dict[str, ClassUse] = {}
    data = roaming_data = mms = 0
    for day in days:
        since = month if day.kind in ("sms", "mms") else period
        if day.day < since:
            continue
        if day.kind == "data":
            data += 0 if day.class_ == "roaming" else day.bytes
            roaming_data += day.bytes if day.class_ == "roaming" else 0
        elif day.class_ == "roaming":
            _add(abroad, day.kind, day)
        elif day.direction == "out":
            _add(calls if day.kind == "call" else texts, day.class_, day)
            mms += day.count if day.kind == "mms" else 0
    return Used(
        since=period,
        data=data,
        calls=_in_order(calls),
        texts=_in_order(texts),
        mms=mms,
        roaming=list(abroad.values()),
        roaming_data=roaming_data,
    )


def _add(sums: dict[str, ClassUse], key: str, day: DayUse) -> None:
    before = sums.get(key, ClassUse(key, 0, 0, 0, day.currency))
    sums[key] = ClassUse(
        key,
        before.amount + _amount(day),
        before.records + day.records,
        before.cost_minor + day.cost_minor,
        day.currency,
    )


def _in_order(sums: Mapping[str, ClassUse]) -> list[ClassUse]:
    order = ("on_net", "off_net", "international", "premium")
    return [sums[class_] for class_ in order if class_ in sums]


def _start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day on the clocks of the zone."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def _last_day(end: datetime | None, zone: ZoneInfo) -> date | None:
    """The last day on which something can be used that ends then."""
    return None if end is None else (end - timedelta(microseconds=1)).astimezone(zone).date()
