"""Everything the dashboard reads: one snapshot, a fixed number of statements, whatever the customer owns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch_many
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.portal.alerts.alerts import ABill, ACard, Alert, AService, Facts, alerts_for
from selfcare.portal.billing import queries as billing
from selfcare.portal.billing.invoices import AmountDue
from selfcare.portal.billing.queries import InvoiceRow
from selfcare.portal.services.services import Life, Status, ending, status_of

SHOWN = 10
CONSIDERED = 200
TONES = {
    "active": "ok",
    "expiring_soon": "warn",
    "suspended": "bad",
    "being_set_up": "wait",
    "expired": "off",
    "cancelled": "off",
}

# Worst first needs the derived status, so the running ones are ranked here; a business sees its worst 200 considered.
_SERVICES = Prepared.sql(
    """
    SELECT s.id AS id, s.name AS name, s.nickname AS nickname, s.type AS type, s.state AS state,
           s.suspend_reason AS suspend_reason, s.end_reason AS end_reason, s.ends_at AS ends_at, s.ended_at AS ended_at,
           s.renews AS renews, s.monthly_minor AS monthly_minor, s.currency AS currency, p.name AS product
      FROM service s JOIN product p ON p.id = s.product_id
     WHERE s.customer_id = :customer_id AND s.state <> 'ended'
     ORDER BY CASE s.state WHEN 'suspended' THEN 0 ELSE 1 END, COALESCE(s.ends_at, :never), s.id
     LIMIT 200
    """
)
_COUNT = Prepared.sql("SELECT count(*) AS n FROM service WHERE customer_id = :customer_id AND state <> 'ended'")
_CARDS = Prepared.sql(
    """
    SELECT id, brand, last4, nickname, exp_month, exp_year
      FROM payment_method WHERE customer_id = :customer_id AND removed_at IS NULL
     ORDER BY position LIMIT 10
    """
)
_NEVER = datetime.fromisoformat("9999-12-31T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class ServiceTile:
    """A service at a glance."""

    id: UUID
    name: str
    type: str
    product: str
    life: Life
    status: Status
    ends: str | None
    monthly: Money

    @property
    def tone(self) -> str:
        return TONES[self.status.mark]


@dataclass(frozen=True, slots=True)
class Dashboard:
    tiles: list[ServiceTile]
    services: int
    due: AmountDue
    bills: list[InvoiceRow]
    alerts: list[Alert]
    as_of: datetime


async def dashboard(identity: Identity, *, zone: str) -> Dashboard:
    """`zone` is the operator's billing zone."""
    scope, now, today = identity.customer, clock.now(), clock.today(zone)
    asked = {"customer_id": scope.customer_id}
    services, count, bills, cards = await fetch_many(
        _SERVICES.bind(**asked, never=_NEVER), _COUNT.bind(**asked), billing.open_bills_of(scope), _CARDS.bind(**asked)
    )
    tiles = sorted(
        (_tile(row, now) for row in services if scope.covers(row["id"])),
        key=lambda tile: (tile.status.rank, tile.life.ends_at or _NEVER, tile.name),
    )
    open_bills = billing.open_rows(bills, today)
    facts = Facts(
        bills=[ABill(bill.id, bill.number, bill.bill) for bill in open_bills],
        services=[AService(tile.id, tile.name, tile.life) for tile in tiles],
        cards=[ACard(row["id"], _card_name(row), row["exp_month"], row["exp_year"]) for row in cards],
        email_verified=identity.user.email_verified,
        user_id=identity.user_id,
    )
    return Dashboard(
        tiles=tiles[:SHOWN],
        services=count[0]["n"] if scope.service_ids is None else len(tiles),
        due=billing.due_of(open_bills, scope),
        bills=open_bills,
        alerts=alerts_for(facts, now=now, today=today),
        as_of=now,
    )


def _tile(row: dict[str, Any], now: datetime) -> ServiceTile:
    life = Life(
        state=row["state"],
        suspend_reason=row["suspend_reason"],
        end_reason=row["end_reason"],
        ends_at=row["ends_at"],
        ended_at=row["ended_at"],
        renews=row["renews"],
    )
    return ServiceTile(
        id=row["id"],
        name=row["nickname"] or row["name"],
        type=row["type"],
        product=row["product"],
        life=life,
        status=status_of(life, now),
        ends=ending(life, now),
        monthly=Money(row["monthly_minor"], row["currency"]),
    )


def _card_name(row: dict[str, Any]) -> str:
    return row["nickname"] or f"{row['brand'].capitalize()} •••• {row['last4']}"
