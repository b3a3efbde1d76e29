"""What was used, from the records: by day and class, at what pace, and what a top-up would change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from selfcare.db.prepared import Prepared, as_json, fetch
from selfcare.identity.identity import CustomerScope
from selfcare.portal.usage import forecast as pace
from selfcare.portal.usage import history
from selfcare.portal.usage.allowances import Allowance
from selfcare.portal.usage.balances import Balance
from selfcare.portal.usage.days import day_of, last_day_before, start_of
from selfcare.portal.usage.forecast import Beyond, Forecast, Tank, TooEarly, TooUneven
from selfcare.portal.usage.history import Chart, Step
from selfcare.ports.charging import Asked, Charging, DayUse

CHARTED = {"data": ("data",), "voice": ("call",), "sms": ("sms", "mms")}
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


async def past_of(
    scope: CustomerScope, charging: Charging, balance: Balance, kind: str | None, step: Step, until: date | None
) -> tuple[Past, list[str]]:
    zone, today = ZoneInfo(scope.zone), balance.now.astimezone(ZoneInfo(scope.zone)).date()
    known_since = max(balance.row.created.astimezone(zone).date(), history.earliest(today))
    first, _last = history.span(step, today=today, until=until)
    month = today.replace(day=1)
    began = min([month, *(day_of(line.period_start, zone) for line in balance.lines if line.period_start)])
    asked = Asked(
        service_ids=[balance.row.id],
        since=start_of(max(known_since, min(first, today - pace.DAYS_SEEN * _DAY, began)), zone),
        until=balance.now + timedelta(microseconds=1),
    )
    days = await charging.history(scope, asked, zone=scope.zone)
    kinds = _kinds(balance.lines, days)
    chosen = kind if kind in kinds else kinds[0] if kinds else "data"
    amounts = amounts_of(days, chosen)
    line = balance.line(chosen)
    outlook = _outlook(line, amounts, known_since, balance.now, zone) if line else None
    what_ifs = await _what_ifs(balance, chosen, line, amounts, known_since, zone) if outlook else []
    return (
        Past(
            chart=history.chart(amounts, step, known_since=known_since, today=today, until=until),
            kind=chosen,
            used=_used(days, day_of(line.period_start, zone) if line and line.period_start else month, month),
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
    began = day_of(main.period_start, zone) if main and main.period_start else month
    last = last_day_before(main.period_end, zone) if main else None
    today = day_of(balance.now, zone)
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


def amounts_of(days: Sequence[DayUse], kind: str) -> dict[date, int]:
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
    midnight, next_midnight = start_of(today, zone), start_of(today + _DAY, zone)
    return pace.forecast(
        days,
        tanks,
        today=today,
        today_left_permille=(next_midnight - now) * 1000 // (next_midnight - midnight),
        last_day=last_day_before(line.period_end, zone),
    )


def _tanks(line: Allowance, zone: ZoneInfo) -> list[Tank]:
    return [Tank(place.bucket.remaining, last_day_before(place.bucket.expires_at, zone)) for place in line.buckets]


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
