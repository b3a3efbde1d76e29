"""The add-ons that run on a service, or are going to."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.db.prepared import Prepared, fetch
from selfcare.identity.identity import CustomerScope
from selfcare.kernel.money import Money

HELD = Prepared.sql(
    """
    SELECT a.id AS id, a.service_id AS service_id, a.product_id AS product_id, p.slug AS slug, a.name AS name,
           a.icon AS icon, a.price_minor AS price_minor, a.currency AS currency, a.recurring AS recurring,
           a.starts_at AS starts_at, a.paid_until AS paid_until, a.term_ends_at AS term_ends_at, a.ends_at AS ends_at,
           a.removal_asked_at AS removal_asked_at, a.waits_for AS waits_for, a.lasts_days AS lasts_days,
           p.excludes AS excludes
      FROM service_addon a JOIN product p ON p.id = a.product_id
     WHERE a.customer_id = :customer_id AND a.service_id = :service_id AND (a.ends_at IS NULL OR a.ends_at > :now)
     ORDER BY a.starts_at, a.id LIMIT 100
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """`price` is by the month, and zero for one that was paid once."""

    id: UUID
    service_id: UUID
    product_id: UUID
    slug: str
    name: str
    icon: str
    price: Money
    recurring: bool
    starts_at: datetime
    paid_until: datetime | None
    term_ends_at: datetime | None
    ends_at: datetime | None
    removal_asked_at: datetime | None
    # Until its first use: then it runs for so many days, and without one it ends unused at `ends_at`.
    waits_for: str | None
    lasts_days: int | None

    @property
    def is_hardware(self) -> bool:
        return self.icon == "hardware"

    @property
    def removable_at(self) -> datetime | None:
        """When it would end if it was removed now: when what is paid for is over, and not inside its minimum term."""
        if self.paid_until is None:
            return None
        return max(self.paid_until, self.term_ends_at or self.paid_until)

    def leaving_fee(self, zone: str) -> Money:
        """What is still to be paid when it is removed now: each month that begins inside its minimum term."""
        begins, months = self.paid_until, 0
        while begins is not None and self.term_ends_at is not None and begins < self.term_ends_at:
            begins, months = months_later(begins, 1, zone), months + 1
        return Money(self.price.minor * months, self.price.currency)


def held_from(row: Mapping[str, Any]) -> Held:
    plain = {name: row[name] for name in Held.__dataclass_fields__ if name != "price"}
    return Held(**plain, price=Money(row["price_minor"], row["currency"]))


async def held_on(scope: CustomerScope, service_id: UUID, now: datetime) -> list[Held]:
    """What runs and what is going to begin; of a line this person does not look after nothing."""
    if not scope.covers(service_id):
        return []
    rows = await fetch(HELD.bind(customer_id=scope.customer_id, service_id=service_id, now=now), short=True)
    return [held_from(row) for row in rows]


def monthly_with(monthly: Money | None, extras: Iterable[Held]) -> Money | None:
    """What a service costs a month with its add-ons; None where it costs nothing by the month."""
    for held in extras:
        if held.recurring:
            monthly = held.price if monthly is None else monthly + held.price
    return monthly


def months_later(moment: datetime, months: int, zone: str) -> datetime:
    """The same day and time of another month where the customer is, or its last day."""
    here = moment.astimezone(ZoneInfo(zone))
    years, month = divmod(here.month - 1 + months, 12)
    year = here.year + years
    day = min(here.day, calendar.monthrange(year, month + 1)[1])
    return here.replace(year=year, month=month + 1, day=day).astimezone(UTC)
