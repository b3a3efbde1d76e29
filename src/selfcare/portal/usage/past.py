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
from selfcare.ports.charging import COVERED_BY, Asked, Charging, DayUse

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
    """Apart by class; what was used abroad is apart from all of it. Texts count since the month began."""

    calls_since: date
    calls: list[ClassUse]
    texts: list[ClassUse]
    mms: int
    abroad_since: date
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
    outlook: Forecast


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
    # A blocker keeps credit from paying for more.
    stops: bool

    @property
    def lasts(self) -> bool:
        return isinstance(self.outlook, Forecast) and self.outlook.outlook is pace.Outlook.LASTS


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
    line, voice, period = balance.line(chosen), balance.line("voice"), plan_began(balance, zone)
    foreseen = _Foreseen.of(balance, line, days, known_since, zone) if line and not line.is_unlimited else None
    outlook = foreseen.forecast(_tanks(foreseen.line, zone)) if foreseen and not foreseen.line.is_used_up else None
    what_ifs = await _what_ifs(balance, foreseen) if foreseen else []
    return (
        Past(
            chart=history.chart(amounts, step, known_since=known_since, today=today, until=until),
            kind=chosen,
            used=_used(
                days,
                day_of(voice.period_start if voice and voice.period_start else period, zone),
                day_of(period, zone),
                month,
            ),
            outlook=outlook,
            what_ifs=what_ifs,
            beyond=_beyond(balance, days, known_since, month, zone),
            currency=next((day.currency for day in days), ""),
            stops=line is not None and any(place.bucket.blocker for place in line.buckets),
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


def plan_began(balance: Balance, zone: ZoneInfo) -> datetime:
    """The beginning of the plan's period; without one that of the month."""
    main = balance.line("data") or balance.line("voice")
    if main and main.period_start:
        return main.period_start
    return balance.now.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


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


@dataclass(frozen=True, slots=True)
class _Foreseen:
    """What a forecast of a line rests on."""

    line: Allowance
    days: Mapping[date, int]
    now: datetime
    zone: ZoneInfo
    last_day: date | None
    for_good: bool

    @classmethod
    def of(
        cls, balance: Balance, line: Allowance, days: Sequence[DayUse], known_since: date, zone: ZoneInfo
    ) -> _Foreseen:
        today = day_of(balance.now, zone)
        # A day without a record since the service began is a day without use.
        seen = [today - n * _DAY for n in range(1, pace.DAYS_SEEN + 1)]
        amounts = amounts_of([day for day in days if day.class_ in _classes(balance, line)], line.kind)
        last_day, for_good = _last_day(balance, line, zone)
        known = {day: amounts.get(day, 0) for day in seen if day > known_since}
        return cls(line, known, balance.now, zone, last_day, for_good)

    def forecast(self, tanks: Sequence[Tank]) -> Forecast | TooEarly | TooUneven:
        today = day_of(self.now, self.zone)
        midnight, next_midnight = start_of(today, self.zone), start_of(today + _DAY, self.zone)
        return pace.forecast(
            self.days,
            tanks,
            today=today,
            today_left_permille=(next_midnight - self.now) * 1000 // (next_midnight - midnight),
            last_day=self.last_day,
            for_good=self.for_good,
        )


def _classes(balance: Balance, line: Allowance) -> set[str]:
    """What this line is used for: what its buckets cover and no line of its own is there for."""
    covered = {name for name, by in COVERED_BY.items() if any(place.bucket.scope in by for place in line.buckets)}
    own = {each.scope for each in balance.lines if each.kind == line.kind and each.left > 0} - {line.scope}
    return covered - own


def _last_day(balance: Balance, line: Allowance, zone: ZoneInfo) -> tuple[date | None, bool]:
    """Of the period, or of the service where that ends first; and whether nothing begins anew then."""
    row = balance.row
    ends = row.cancel_at or (None if row.renews else row.ends_at)
    last, service_last = last_day_before(line.period_end, zone), last_day_before(ends, zone)
    if service_last is not None and (last is None or service_last <= last):
        return service_last, True
    return last, all(place.bucket.origin != "plan" for place in line.buckets)


def _tanks(line: Allowance, zone: ZoneInfo) -> list[Tank]:
    return [Tank(place.bucket.remaining, last_day_before(place.bucket.expires_at, zone)) for place in line.buckets]


async def _what_ifs(balance: Balance, foreseen: _Foreseen) -> list[WhatIf]:
    line, found = foreseen.line, []
    today, tanks = day_of(foreseen.now, foreseen.zone), _tanks(line, foreseen.zone)
    for product in await fetch(_TOPUPS.bind(type=balance.row.type, now=balance.now)):
        grants = product["grants"]
        grant = next((each for each in grants if each["kind"] == line.kind and each["scope"] == "any"), None)
        if grant is None or grant["amount"] is None or grant["mode"] != "add":
            continue
        lasts = grant["lifetime_days"]
        more = pace.with_more(
            tanks,
            grant["amount"],
            place=sum(each.bucket.consume_order < grant["consume_order"] for each in line.buckets),
            last_day=None if lasts is None else today + (lasts - 1) * _DAY,
        )
        outlook = foreseen.forecast(more)
        if isinstance(outlook, Forecast):
            found.append(WhatIf(product["slug"], product["name"], grant["amount"], outlook))
    return found


def _used(days: Sequence[DayUse], calls_since: date, abroad_since: date, month: date) -> Used:
    calls: dict[str, ClassUse] = {}
    texts: dict[str, ClassUse] = {}
    abroad: dict[str, ClassUse] = {}
    roaming_data = mms = 0
    for day in days:
        is_abroad = day.class_ == "roaming"
        if day.day < (abroad_since if is_abroad else calls_since if day.kind == "call" else month):
            continue
        if day.kind == "data":
            roaming_data += day.bytes if is_abroad else 0
        elif is_abroad:
            _add(abroad, day.kind, day)
        elif day.direction == "out":
            _add(calls if day.kind == "call" else texts, day.class_, day)
            mms += day.count if day.kind == "mms" else 0
    return Used(
        calls_since=calls_since,
        calls=_in_order(calls),
        texts=_in_order(texts),
        mms=mms,
        abroad_since=abroad_since,
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
