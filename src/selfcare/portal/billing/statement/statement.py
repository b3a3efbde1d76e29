"""Opening balance, every movement, closing balance. Above zero is owed to the operator, below is the customer's.

It closes to the books: what is owed on bills, less credit, less what is set aside or paid for and not delivered yet.
What waits for its bill is not in it; a payment out of credit moves nothing and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch_many
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.billing.transactions import BEGINNING

MOST_MONTHS = 24
EARLIEST = date(1970, 1, 1)

_POSTED = "EXISTS (SELECT 1 FROM ledger_journal j WHERE j.about = i.id AND j.kind = 'bill')"
# A credit note that was spent shows by what it was spent on.
_ASKED = """CASE WHEN i.state = 'void' THEN 0
                 WHEN i.kind = 'credit_note' THEN i.net_minor + i.tax_minor - i.paid_minor
                 ELSE i.net_minor + i.tax_minor END"""
_BILLS = f"""invoice i
     WHERE i.customer_id = :customer_id AND i.currency = :currency AND i.state <> 'draft'
       AND (i.kind <> 'proforma' OR {_POSTED})"""
_MONEY = f"""billing_transaction t
      LEFT JOIN invoice i ON i.id = t.invoice_id AND i.customer_id = t.customer_id
     WHERE t.customer_id = :customer_id AND t.currency = :currency AND t.voided_at IS NULL
       AND ((i.id IS NOT NULL AND t.kind IN ('payment', 'refund') AND i.kind <> 'credit_note' AND i.state <> 'draft'
             AND ((i.kind <> 'proforma' AND i.state <> 'void') OR {_POSTED}))
         OR (i.id IS NULL AND t.payment_id IS NOT NULL)
         OR (i.id IS NULL AND t.payment_id IS NULL AND t.order_id IS NOT NULL AND t.kind = 'charge'
             AND EXISTS (SELECT 1 FROM billing_transaction p WHERE p.customer_id = t.customer_id
                            AND p.order_id = t.order_id AND p.payment_id IS NOT NULL)))"""
_CREDITED = """ledger_journal j
      JOIN ledger_entry e ON e.journal_id = j.id
      JOIN ledger_account a ON a.id = e.account_id
      JOIN invoice i ON i.id = j.about
     WHERE j.customer_id = :customer_id AND j.kind = 'credit_note' AND a.kind = 'credit' AND e.currency = :currency"""

_BILL_ROWS = Prepared.sql(
    f"""
    SELECT i.id AS invoice_id, i.number AS number, i.kind AS kind, i.state AS state, i.date AS day,
           {_ASKED} AS minor
      FROM {_BILLS} AND i.date >= :first AND i.date <= :last ORDER BY i.date, i.number
    """
)
_BILLS_BEFORE = Prepared.sql(
    f"SELECT COALESCE(sum({_ASKED}), 0) AS minor FROM {_BILLS} AND i.date < :first", types={"minor": int}
)
_MONEY_ROWS = Prepared.sql(
    f"""
    SELECT t.id AS id, t.at AS at, t.kind AS kind, t.description AS description,
           t.amount_minor + t.tax_minor AS minor, t.payment_id AS payment_id, i.id AS invoice_id, i.number AS number
      FROM {_MONEY} AND t.at >= :since AND t.at < :until ORDER BY t.at, t.id
    """
)
_MONEY_BEFORE = Prepared.sql(
    f"""
    SELECT COALESCE(sum(t.amount_minor + t.tax_minor), 0) AS minor
      FROM {_MONEY} AND t.at >= :beginning AND t.at < :since
    """,
    types={"minor": int},
)
_CREDIT_ROWS = Prepared.sql(
    f"""
    SELECT j.at AS at, i.id AS invoice_id, i.number AS number, e.amount_minor AS minor
      FROM {_CREDITED} AND j.at >= :since AND j.at < :until ORDER BY j.at
    """
)
_CREDITS_BEFORE = Prepared.sql(
    f"SELECT COALESCE(sum(e.amount_minor), 0) AS minor FROM {_CREDITED} AND j.at < :since", types={"minor": int}
)


@dataclass(frozen=True, slots=True)
class Span:
    """Days of the customer's calendar, both included."""

    first: date
    last: date

    @property
    def is_long(self) -> bool:
        """Longer than anybody should wait for."""
        return self.last >= add_months(self.first, MOST_MONTHS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """`balance` is after it. `numbers` are of the bills it belongs to."""

    at: datetime
    day: date
    words: str
    amount: Money
    balance: Money
    is_void: bool = False
    invoice_id: UUID | None = None
    payment_id: UUID | None = None
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    span: Span
    opening: Money
    movements: list[Movement]
    closing: Money

    @property
    def asked(self) -> Money:
        """What came on top."""
        return self._sum(lambda minor: minor > 0)

    @property
    def given(self) -> Money:
        """What came off, below zero."""
        return self._sum(lambda minor: minor < 0)

    def _sum(self, counts: Any) -> Money:
        minors = (movement.amount.minor for movement in self.movements)
        return Money(sum(minor for minor in minors if counts(minor)), self.opening.currency)


def usual(today: date) -> Span:
    """The last three months and the one that runs."""
    return Span(add_months(today.replace(day=1), -3), today)


def add_months(day: date, months: int) -> date:
    """The same day of another month, or its last; the calendar's ends stay where they are."""
    whole = day.year * 12 + day.month - 1 + months
    year, month = divmod(whole, 12)
    if not 1 <= year <= 9999:
        return date.min if year < 1 else date.max
    first = date(year, month + 1, 1)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1) if first < date(9999, 12, 1) else date(9999, 12, 31)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


async def get(scope: CustomerScope, span: Span) -> Statement:
    """Six statements in one snapshot, however many movements. Raises Rejected for more than 24 months."""
    if span.is_long:
        raise Rejected(_("Choose at most 24 months."), "last")
    return await long(scope, span)


async def long(scope: CustomerScope, span: Span) -> Statement:
    """Of any length, for whoever has time."""
    of = {"customer_id": scope.customer_id, "currency": scope.currency}
    since, until = clock.midnight(span.first, scope.zone), clock.midnight(span.last, scope.zone, days=1)
    *before, bills, money, credits = await fetch_many(
        _BILLS_BEFORE.bind(**of, first=span.first),
        _MONEY_BEFORE.bind(**of, beginning=BEGINNING, since=since),
        _CREDITS_BEFORE.bind(**of, since=since),
        _BILL_ROWS.bind(**of, first=span.first, last=span.last),
        _MONEY_ROWS.bind(**of, since=since, until=until),
        _CREDIT_ROWS.bind(**of, since=since, until=until),
    )
    opening = balance = Money(sum(rows[0]["minor"] for rows in before), scope.currency)
    nothing, zone = Money.zero(scope.currency), ZoneInfo(scope.zone)
    found = [
        *(_bill(row, zone, nothing) for row in bills if row["minor"] or row["kind"] != "credit_note"),
        *_payments(money, zone, nothing),
        *(_credit(row, zone, nothing) for row in credits),
    ]
    movements = []
    for movement in sorted(found, key=lambda each: (each.day, each.at)):
        balance += movement.amount
        movements.append(replace(movement, balance=balance))
    return Statement(span, opening, movements, balance)


async def fetch(identity: Identity, span: Span, *, format: str) -> Statement:
    """As `get`, to be taken away: that is written down."""
    found = await get(identity.customer, span)
    async with transaction():
        await audit.record(identity, Event.BILLING_STATEMENT_FETCHED, format=format)
    return found


def _bill(row: dict[str, Any], zone: ZoneInfo, nothing: Money) -> Movement:
    words = {"credit_note": _("Credit note"), "proforma": _("Pro-forma")}.get(row["kind"], _("Bill"))
    return Movement(
        # Bills come first on their day.
        at=clock.midnight(row["day"], zone.key),
        day=row["day"],
        words=words,
        amount=Money(row["minor"], nothing.currency),
        balance=nothing,
        is_void=row["state"] == "void",
        invoice_id=row["invoice_id"],
        numbers=(row["number"],),
    )


def _credit(row: dict[str, Any], zone: ZoneInfo, nothing: Money) -> Movement:
    return Movement(
        at=row["at"],
        day=row["at"].astimezone(zone).date(),
        words=_("Credit note, kept as your credit"),
        amount=Money(row["minor"], nothing.currency),
        balance=nothing,
        invoice_id=row["invoice_id"],
        numbers=(row["number"],),
    )


def _payments(rows: Iterable[dict[str, Any]], zone: ZoneInfo, nothing: Money) -> Iterable[Movement]:
    """One movement for a payment, however many bills it was for; what it took out of credit moves nothing."""
    found: dict[tuple[UUID, bool], Movement] = {}
    for row in rows:
        is_payment = row["payment_id"] is not None and row["kind"] in ("payment", "adjustment")
        key = (row["payment_id"] if is_payment else row["id"], is_payment)
        numbers = (row["number"],) if row["number"] else ()
        amount = Money(row["minor"], nothing.currency)
        known = found.get(key)
        if known is None:
            found[key] = Movement(
                at=row["at"],
                day=row["at"].astimezone(zone).date(),
                words=row["description"],
                amount=amount,
                balance=nothing,
                invoice_id=row["invoice_id"],
                payment_id=row["payment_id"],
                numbers=numbers,
            )
            continue
        new = tuple(number for number in numbers if number not in known.numbers)
        words = row["description"] if row["kind"] == "payment" and amount.minor < 0 else known.words
        found[key] = replace(known, amount=known.amount + amount, numbers=known.numbers + new, words=words)
    return [movement for movement in found.values() if movement.amount]
