"""What was used in other countries, country by country, and the passes on sale for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from selfcare.db.prepared import Prepared, as_json, fetch
from selfcare.identity.identity import CustomerScope
from selfcare.kernel.errors import Unavailable
from selfcare.kernel.money import Money, round_half_up
from selfcare.portal.usage.balances import Balance
from selfcare.portal.usage.past import plan_began
from selfcare.ports.charging import MOST_RECORDS, Asked, Charging, Record

MOST_PAGES = 5
MEGABYTE = 10**6

_PASSES = Prepared.sql(
    """
    SELECT name, description, price_minor, currency, category, grants FROM product
     WHERE category IN ('topup', 'addon') AND enabled AND service_type = :type
       AND (on_sale_from IS NULL OR on_sale_from <= :now) AND (on_sale_until IS NULL OR on_sale_until > :now)
     ORDER BY sort, price_minor, name LIMIT 100
    """,
    types={"grants": as_json},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InCountry:
    """`country` None is where the network did not say. Costs are what no allowance covered."""

    country: str | None
    currency: str
    first: date
    last: date
    bytes: int = 0
    seconds: int = 0
    messages: int = 0
    data_cost: int = 0
    call_cost: int = 0
    message_cost: int = 0

    @property
    def cost(self) -> Money:
        return Money(self.data_cost + self.call_cost + self.message_cost, self.currency)

    @property
    def per_megabyte(self) -> Money | None:
        """What a unit came to, where it was charged for."""
        return self._per(self.data_cost, self.bytes, MEGABYTE)

    @property
    def per_minute(self) -> Money | None:
        return self._per(self.call_cost, self.seconds, 60)

    @property
    def per_message(self) -> Money | None:
        return self._per(self.message_cost, self.messages, 1)

    def _per(self, cost: int, amount: int, unit: int) -> Money | None:
        return Money(round_half_up(cost * unit, amount), self.currency) if cost and amount else None


@dataclass(frozen=True, slots=True)
class Pass:
    name: str
    about: str
    price: Money
    category: str


@dataclass(frozen=True, slots=True)
class Abroad:
    """The dearest country first. `all_known` is False where only the latest records were looked at."""

    countries: list[InCountry]
    since: date
    all_known: bool


async def used_abroad(scope: CustomerScope, charging: Charging, balance: Balance) -> Abroad | None:
    """None where the meter does not answer."""
    zone = ZoneInfo(scope.zone)
    since = plan_began(balance, zone)
    asked = Asked(service_ids=[balance.row.id], classes=frozenset({"roaming"}), since=since, until=None)
    found: list[Record] = []
    after: str | None = None
    try:
        for _page in range(MOST_PAGES):
            some = await charging.records(scope, asked, after=after, limit=MOST_RECORDS)
            found += some.records
            after = some.more
            if after is None:
                break
    except Unavailable:
        return None
    return Abroad(by_country(found, zone), since.astimezone(zone).date(), after is None)


async def passes_on_sale(balance: Balance) -> list[Pass]:
    rows = await fetch(_PASSES.bind(type=balance.row.type, now=balance.now))
    return [
        Pass(row["name"], row["description"], Money(row["price_minor"], row["currency"]), row["category"])
        for row in rows
        if any(grant["scope"] == "roaming" for grant in row["grants"])
    ]


def by_country(records: Iterable[Record], zone: ZoneInfo) -> list[InCountry]:
    """Days are those of the customer's own calendar."""
    countries: dict[tuple[str | None, str], InCountry] = {}
    for record in records:
        day, key = record.started_at.astimezone(zone).date(), (record.country, record.currency)
        known = countries.get(key) or InCountry(country=record.country, currency=record.currency, first=day, last=day)
        known = replace(known, first=min(known.first, day), last=max(known.last, day))
        countries[key] = _with(known, record)
    return sorted(countries.values(), key=lambda one: (-one.cost.minor, -one.bytes, -one.seconds, one.country or ""))


def _with(known: InCountry, record: Record) -> InCountry:
    match record.kind:
        case "data":
            return replace(known, bytes=known.bytes + record.bytes, data_cost=known.data_cost + record.cost_minor)
        case "call":
            return replace(known, seconds=known.seconds + record.seconds, call_cost=known.call_cost + record.cost_minor)
        case _:
            return replace(
                known,
                messages=known.messages + record.count,
                message_cost=known.message_cost + record.cost_minor,
            )
