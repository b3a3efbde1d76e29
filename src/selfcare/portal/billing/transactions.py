"""Every charge, credit and payment, on a bill or not yet. Charges count up, credits and payments count down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch, fetch_many
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.money import Money, exponent
from selfcare.kernel.place import Place
from selfcare.kernel.words import _

PER_PAGE = 25
AT_ONCE = 500
KINDS = ("charge", "credit", "payment", "refund", "adjustment")
INVOICED = ("yes", "no")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)
LAST_ID = UUID(int=2**128 - 1)

_FILTER = """t.customer_id = :customer_id AND t.at >= :since AND t.at < :until
   AND (:kind = '' OR t.kind = :kind)
   AND (:invoiced = '' OR (t.invoice_id IS NOT NULL) = (:invoiced = 'yes'))"""
_BILL = "LEFT JOIN invoice i ON i.id = t.invoice_id AND i.customer_id = t.customer_id AND i.state <> 'draft'"
# What was asked by a bill that is void by now, or by an offer nobody took, is owed by nobody.
_STANDING = """CASE WHEN t.voided_at IS NOT NULL THEN 'void'
                WHEN i.state = 'void' AND t.kind NOT IN ('payment', 'refund') THEN 'void'
                WHEN i.kind = 'proforma' AND i.paid_minor = 0 THEN 'offer' ELSE 'counts' END"""
_LIST = Prepared.sql(
    f"""
    SELECT t.id AS id, t.at AS at, t.kind AS kind, t.description AS description, t.amount_minor AS amount_minor,
           t.tax_minor AS tax_minor, t.currency AS currency, {_STANDING} AS standing, t.payment_id AS payment_id,
           t.invoice_id AS invoice_id, i.number AS number
      FROM billing_transaction t
      {_BILL}
     WHERE {_FILTER} AND (t.at < :at OR (t.at = :at AND t.id < :id))
     ORDER BY t.at DESC, t.id DESC LIMIT :most
    """
)
_TOTALS = Prepared.sql(
    f"""
    SELECT COALESCE(sum(t.amount_minor + t.tax_minor), 0) AS everything,
           COALESCE(sum(CASE WHEN t.invoice_id IS NULL THEN t.amount_minor + t.tax_minor ELSE 0 END), 0) AS uninvoiced,
           COALESCE(sum(CASE WHEN t.at >= :month THEN t.amount_minor + t.tax_minor ELSE 0 END), 0) AS this_month,
           COALESCE(sum(CASE WHEN t.at >= :month_before AND t.at < :month THEN t.amount_minor + t.tax_minor ELSE 0 END),
                    0) AS last_month
      FROM billing_transaction t
      {_BILL}
     WHERE t.customer_id = :customer_id AND t.currency = :currency AND {_STANDING} = 'counts'
    """,
    types=dict.fromkeys(("everything", "uninvoiced", "this_month", "last_month"), int),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the filter says; days are of the customer's calendar, both included."""

    kind: str = ""
    invoiced: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def is_narrowed(self) -> bool:
        return bool(self.kind or self.invoiced or self.first or self.last)

    def bound(self, scope: CustomerScope) -> Mapping[str, Any]:
        return {
            "customer_id": scope.customer_id,
            "kind": self.kind,
            "invoiced": self.invoiced,
            "since": clock.midnight(self.first, scope.zone) if self.first else BEGINNING,
            "until": clock.midnight(self.last, scope.zone, days=1) if self.last else END,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of money, tax included. `number` is of the bill it stands on, None while it stands on none."""

    id: UUID
    at: datetime
    kind: str
    description: str
    amount: Money
    is_void: bool
    is_offer: bool
    invoice_id: UUID | None
    number: str | None
    payment_id: UUID | None

    @property
    def status(self) -> str:
        if self.is_void:
            return _("Cancelled")
        if self.is_offer:
            return _("Pro-forma")
        return _("Invoiced") if self.number else _("Uninvoiced")


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over everything that is neither cancelled nor an offer, whatever the filter shows."""

    everything: Money
    uninvoiced: Money
    this_month: Money
    last_month: Money


@dataclass(frozen=True, slots=True)
class Page:
    entries: list[Entry]
    totals: Totals
    more: Place | None


def kind_words() -> dict[str, str]:
    return {
        "charge": _("Charge"),
        "credit": _("Credit"),
        "payment": _("Payment"),
        "refund": _("Refund"),
        "adjustment": _("Adjustment"),
        "tax": _("Tax"),
    }


async def list_transactions(scope: CustomerScope, wanted: Wanted, *, today: date, after: Place | None) -> Page:
    """The newest first, with the totals above. Two statements, however many lines."""
    month = today.replace(day=1)
    rows, sums = await fetch_many(
        _LIST.bind(**wanted.bound(scope), **_after(after), most=PER_PAGE + 1),
        _TOTALS.bind(
            customer_id=scope.customer_id,
            currency=scope.currency,
            month=clock.midnight(month, scope.zone),
            month_before=clock.midnight((month - timedelta(days=1)).replace(day=1), scope.zone),
        ),
    )
    entries = [_entry(row) for row in rows[:PER_PAGE]]
    more = Place(entries[-1].at, entries[-1].id) if len(rows) > PER_PAGE else None
    return Page(entries, Totals(**{name: Money(value, scope.currency) for name, value in sums[0].items()}), more)


async def download(identity: Identity, wanted: Wanted) -> AsyncIterator[Entry]:
    """Writes down that they were taken out, then gives all that match, some hundred in hand at any time."""
    async with transaction():
        await audit.record(identity, Event.BILLING_TRANSACTIONS_FETCHED)
    return _all(identity.customer, wanted)


def decimal(amount: Money) -> Decimal:
    """For a spreadsheet: −5.00."""
    return Decimal(amount.minor).scaleb(-exponent(amount.currency))


async def _all(scope: CustomerScope, wanted: Wanted) -> AsyncIterator[Entry]:
    after: Place | None = None
    while True:
        rows = await fetch(_LIST.bind(**wanted.bound(scope), **_after(after), most=AT_ONCE))
        for row in rows:
            yield _entry(row)
        if len(rows) < AT_ONCE:
            return
        after = Place(rows[-1]["at"], rows[-1]["id"])


def _after(after: Place | None) -> dict[str, Any]:
    return {"at": after.at, "id": after.id} if after else {"at": END, "id": LAST_ID}


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        id=row["id"],
        at=row["at"],
        kind=row["kind"],
        description=row["description"],
        amount=Money(row["amount_minor"] + row["tax_minor"], row["currency"]),
        is_void=row["standing"] == "void",
        is_offer=row["standing"] == "offer",
        invoice_id=row["invoice_id"],
        number=row["number"],
        payment_id=row["payment_id"],
    )
