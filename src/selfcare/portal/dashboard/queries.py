"""Everything the dashboard reads: one snapshot, a fixed number of statements, whatever the customer owns."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, fetch_many
from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.kernel.values import value
from selfcare.portal.activity import activity as log
from selfcare.portal.activity.activity import Line
from selfcare.portal.alerts.alerts import ABill, ACard, AFailedPayment, Alert, AService, Facts, alerts_for
from selfcare.portal.billing import queries as billing
from selfcare.portal.billing.invoices import AmountDue
from selfcare.portal.billing.queries import InvoiceRow
from selfcare.portal.services.services import Life, Mark, Status, ending, status_of
from selfcare.portal.usage.allowances import Allowance, of_each
from selfcare.ports.charging import Charging

SHOWN = 10
LATEST = 5
FAILED = 5
GLANCE = ("data", "voice", "sms", "money")
TONES = {
    "active": "ok",
    "expiring_soon": "warn",
    "suspended": "bad",
    "being_set_up": "wait",
    "expired": "off",
    "cancelled": "off",
    "transferred": "off",
}

# Worst first needs the derived status, so the running ones are ranked here; a business sees its worst 200 considered.
_SERVICES = Prepared.sql(
    """
    SELECT s.id AS id, s.name AS name, s.nickname AS nickname, s.type AS type, s.state AS state,
           s.suspend_reason AS suspend_reason, s.end_reason AS end_reason, s.ends_at AS ends_at, s.ended_at AS ended_at,
           s.renews AS renews, s.monthly_minor AS monthly_minor, s.currency AS currency, p.name AS product,
           (SELECT count(*) FROM service n WHERE n.customer_id = :customer_id AND n.state <> 'ended') AS in_all
      FROM service s JOIN product p ON p.id = s.product_id
     WHERE s.customer_id = :customer_id AND s.state <> 'ended'
     ORDER BY CASE s.state WHEN 'suspended' THEN 0 ELSE 1 END, COALESCE(s.ends_at, :never), s.id
     LIMIT 200
    """
)
_CARDS = Prepared.sql(
    """
    SELECT id, brand, last4, nickname, exp_month, exp_year
      FROM payment_method WHERE customer_id = :customer_id AND removed_at IS NULL
     ORDER BY position LIMIT 10
    """
)
_NEVER = datetime.fromisoformat("9999-12-31T00:00:00+00:00")


@value
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
    lines: list[Allowance]

    @property
    def tone(self) -> str:
        return TONES[self.status.mark]

    @property
    def is_low(self) -> bool:
        return any((line.is_low or line.is_used_up) and line.buckets for line in self.lines if line.scope == "any")

    @property
    def shown(self) -> list[Allowance]:
        """The lines worth a glance: data, minutes and texts, and credit where there is some."""
        return [line for line in self.lines if line.scope == "any" and line.kind in GLANCE and line.buckets][:3]

    def credit(self, line: Allowance) -> Money:
        """Of a money line."""
        return Money(line.left, line.currency or self.monthly.currency)

    @property
    def rank(self) -> tuple[int, bool, bool, datetime, str]:
        """Suspended, low, expiring, then by end and name."""
        bad = self.status.mark is Mark.SUSPENDED
        return (0 if bad else 1, not self.is_low, not self.status.is_running, self.life.ends_at or _NEVER, self.name)


@value
class Dashboard:
    tiles: list[ServiceTile]
    services: int
    due: AmountDue
    bills: list[InvoiceRow]
    alerts: list[Alert]
    activity: list[Line]
    credit: Money | None
    as_of: datetime
    stale: bool
    # The bills that this person may pay now.
    payable: list[UUID]


async def dashboard(identity: Identity, charging: Charging, *, zone: str) -> Dashboard:
    """`zone` is the operator's billing zone. Figures of the meter may be old; then they say so."""
    scope, now, today = identity.customer, clock.now(), clock.today(zone)
    asked = {"customer_id": scope.customer_id}
    sees_activity = identity.can(Right.VIEW_OWN_ACTIVITY)
    services, bills, cards, *happened = await fetch_many(
        _SERVICES.bind(**asked, never=_NEVER),
        billing.open_bills_told(scope, now),
        _CARDS.bind(**asked),
        *([log.asked(identity, log.Wanted(), LATEST)] if sees_activity else []),
        short=True,
    )
    balances = await charging.balances(scope, [row["id"] for row in services])
    seen = [row for row in services if scope.covers(row["id"])]
    lines = of_each(balances, [row["id"] for row in seen], now)
    tiles = sorted([_tile(row, lines[row["id"]], now) for row in seen], key=lambda tile: tile.rank)
    keeps_cards = identity.can(Right.MANAGE_OWN_CARDS)
    sees_bills = identity.can(Right.VIEW_OWN_BILLS)
    open_bills = billing.open_rows(bills, today) if sees_bills else []
    activity = (await log.shown(happened[0], identity, LATEST)).lines if sees_activity else []
    in_question = {row["id"] for row in bills if row["in_question"]}
    facts = Facts(
        # Of a bill that is in question nobody is warned.
        bills=[ABill(bill.id, bill.number, bill.bill) for bill in open_bills if bill.id not in in_question],
        services=[AService(tile.id, tile.name, tile.life, tuple(tile.lines)) for tile in tiles],
        cards=[ACard(row["id"], _card_name(row), row["exp_month"], row["exp_year"]) for row in cards if keeps_cards],
        failed_payments=_failed(bills) if identity.can(Right.PAY_OWN_BILLS) else [],
        email_verified=identity.user.email_verified,
        user_id=identity.user_id,
    )
    return Dashboard(
        tiles=tiles[:SHOWN],
        services=services[0]["in_all"] if services and scope.service_ids is None else len(tiles),
        due=billing.due_of(open_bills, scope),
        bills=open_bills,
        alerts=alerts_for(facts, now=now, today=today),
        activity=activity,
        credit=_credit(tiles, scope.currency),
        as_of=balances.as_of,
        stale=balances.stale,
        payable=_payable(open_bills) if identity.can(Right.PAY_OWN_BILLS) else [],
    )


def _payable(bills: list[InvoiceRow]) -> list[UUID]:
    return [bill.id for bill in bills if bill.bill.is_owed and bill.payment_id is None]


def _credit(tiles: list[ServiceTile], currency: str) -> Money | None:
    """Prepaid money over all services; None where nobody has any."""
    lines = [line for tile in tiles for line in tile.lines if line.kind == "money" and line.buckets]
    return Money(sum(line.left for line in lines if line.currency == currency), currency) if lines else None


def _tile(row: Row, lines: list[Allowance], now: datetime) -> ServiceTile:
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
        lines=lines,
    )


def _failed(bills: list[Row]) -> list[AFailedPayment]:
    """Bills that should have been paid by themselves, and no card did it; the latest first."""
    untaken = sorted((row for row in bills if row["untaken_at"]), key=lambda row: row["untaken_at"], reverse=True)
    left = [(row, row["net_minor"] + row["tax_minor"] - row["paid_minor"]) for row in untaken[:FAILED]]
    return [AFailedPayment(row["id"], row["number"], Money(minor, row["currency"])) for row, minor in left if minor > 0]


def _card_name(row: Row) -> str:
    return row["nickname"] or f"{row['brand'].capitalize()} •••• {row['last4']}"
