"""What the billing screens read. Drafts are invisible everywhere; every statement is bounded by the customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Bound, Prepared, as_date, as_moment, as_uuid, fetch, fetch_many, fetch_one
from selfcare.identity.identity import CustomerScope
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money
from selfcare.kernel.values import value
from selfcare.portal.billing.invoices import AmountDue, Bill, Label, amount_due, due_words, label_of, words

PER_PAGE = 25
TONES = {
    Label.VOID: "off",
    Label.CREDIT_NOTE: "info",
    Label.PROFORMA: "info",
    Label.PAID: "ok",
    Label.ON_ITS_WAY: "wait",
    Label.OVERDUE: "bad",
    Label.PART_PAID: "warn",
    Label.UNPAID: "warn",
}
STATUSES = ("open", "overdue", "paid", "void")

_COLUMNS = """i.id AS id, i.number AS number, i.kind AS kind, i.date AS date, i.due_on AS due_on,
       i.currency AS currency, i.net_minor AS net_minor, i.tax_minor AS tax_minor, i.paid_minor AS paid_minor,
       i.state AS state,
       i.period_start AS period_start, i.period_end AS period_end,
       pp.payment_id AS payment_id, pp.amount_minor AS on_its_way_minor"""
_FROM = "invoice i LEFT JOIN payment_part pp ON pp.target_id = i.id AND pp.is_open"
_OPEN = "i.state = 'issued' AND i.kind = 'regular' AND i.net_minor + i.tax_minor > i.paid_minor"
_WITH_STATUS = f"""i.customer_id = :customer_id AND i.state <> 'draft' AND i.date >= :first AND i.date <= :last
   AND (:status = 'all'
     OR (:status = 'open' AND {_OPEN})
     OR (:status = 'overdue' AND {_OPEN} AND i.due_on < :today)
     OR (:status = 'paid' AND i.state <> 'void' AND i.net_minor + i.tax_minor <= i.paid_minor)
     OR (:status = 'void' AND i.state = 'void'))"""

# Credit notes of orders are no bills, but who looks for a paper looks here. Each is paid out.
_NOTES = "order_credit_note n WHERE n.customer_id = :customer_id AND NOT n.of_stranger"
_NOTES_WITH_STATUS = f"{_NOTES} AND n.date >= :first AND n.date <= :last AND :status IN ('all', 'paid')"
_LIST = Prepared.sql(
    f"""
    SELECT {_COLUMNS}, NULL AS order_id FROM {_FROM} WHERE {_WITH_STATUS}
    UNION ALL
    SELECT n.id, n.number, 'credit_note', n.date, n.date, n.currency, -n.net_minor, -n.tax_minor,
           -n.net_minor - n.tax_minor, 'settled', NULL, NULL, NULL, NULL, n.order_id
      FROM {_NOTES_WITH_STATUS}
     ORDER BY date DESC, number DESC LIMIT :most OFFSET :skip
    """,
    types={"order_id": as_uuid},
)
_COUNT = Prepared.sql(
    f"""
    SELECT (SELECT count(*) FROM invoice i WHERE {_WITH_STATUS})
         + (SELECT count(*) FROM {_NOTES_WITH_STATUS}) AS n
    """
)
_YEARS = Prepared.sql(
    f"""
    SELECT min(d.date) AS first, max(d.date) AS last FROM (
        SELECT i.date AS date FROM invoice i WHERE i.customer_id = :customer_id AND i.state <> 'draft'
        UNION ALL
        SELECT n.date AS date FROM {_NOTES}
    ) d
    """,
    types={"first": as_date, "last": as_date},
)
_OPEN = (
    f"FROM {_FROM} WHERE i.customer_id = :customer_id AND i.state = 'issued' "
    "AND i.net_minor + i.tax_minor <> i.paid_minor ORDER BY i.due_on, i.number LIMIT 100"
)
OPEN_BILLS = Prepared.sql(f"SELECT {_COLUMNS} {_OPEN}")
_OPEN_BILLS_TOLD = Prepared.sql(
    f"""
    SELECT {_COLUMNS},
           EXISTS (SELECT 1 FROM bill_question q WHERE q.customer_id = i.customer_id AND q.invoice_id = i.id
                      AND q.closed_at IS NULL AND q.paused_until > :now) AS in_question,
           (SELECT max(a.ended_at) FROM autopay_charge a WHERE a.customer_id = i.customer_id AND a.invoice_id = i.id
               AND a.state = 'failed') AS untaken_at {_OPEN}
    """,
    types={"untaken_at": as_moment},
)
_ONE = Prepared.sql(
    f"SELECT {_COLUMNS}, COALESCE(i.purchase_ref, (SELECT NULLIF(r.words, '') FROM bill_reference r "
    "WHERE r.customer_id = i.customer_id)) AS purchase_ref, "
    f"(SELECT p.reference FROM payment p WHERE p.id = pp.payment_id) AS payment_reference FROM {_FROM} "
    "WHERE i.customer_id = :customer_id AND i.id = :invoice_id AND i.state <> 'draft'"
)
_AUTOPAY = Prepared.sql("SELECT given_at FROM autopay_consent WHERE customer_id = :customer_id AND ended_at IS NULL")
_LINES = Prepared.sql(
    """
    SELECT t.id AS id, t.at AS at, t.kind AS kind, t.description AS description, t.quantity AS quantity,
           t.unit_price_minor AS unit_price_minor, t.amount_minor AS amount_minor, t.tax_permille AS tax_permille,
           t.tax_minor AS tax_minor, t.service_id AS service_id, t.period_start AS period_start,
           t.period_end AS period_end, s.name AS service_name, s.nickname AS nickname
      FROM billing_transaction t
      LEFT JOIN service s ON s.id = t.service_id AND s.customer_id = t.customer_id
     WHERE t.customer_id = :customer_id AND t.invoice_id = :invoice_id AND t.voided_at IS NULL
     ORDER BY s.name, t.at, t.id
    """
)
_LINKED = Prepared.sql(
    """
    SELECT i.id AS id, i.number AS number, i.kind AS kind, i.currency AS currency,
           i.net_minor + i.tax_minor AS total_minor
      FROM invoice i
     WHERE i.customer_id = :customer_id AND i.state <> 'draft' AND (i.corrects_id = :invoice_id
        OR i.id = (SELECT c.corrects_id FROM invoice c WHERE c.id = :invoice_id AND c.customer_id = :customer_id))
     ORDER BY i.date, i.number
    """
)


@value
class InvoiceRow:
    """One bill as a list shows it."""

    id: UUID
    number: str
    issued_on: date
    due_on: date
    bill: Bill
    label: Label
    due: str | None
    period_start: date | None = None
    period_end: date | None = None
    # The payment that is on its way to it.
    payment_id: UUID | None = None
    # Of a credit note of an order: its paper is there.
    order_id: UUID | None = None

    @property
    def status(self) -> str:
        return words(self.label)

    @property
    def tone(self) -> str:
        return TONES[self.label]


@value
class InvoicePage:
    rows: list[InvoiceRow]
    total: int
    page: int
    years: list[int]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PER_PAGE))


@value
class Line:
    """A line of a bill: a charge or credit before tax, or a payment towards it."""

    id: UUID
    description: str
    kind: str
    at: datetime
    quantity: int
    unit_price: Money | None
    amount: Money
    tax: Money
    tax_permille: int
    period_start: date | None
    period_end: date | None


@value
class Group:
    """The lines of one service; `service_id` None is the rest."""

    service_id: UUID | None
    name: str | None
    lines: list[Line]

    @property
    def net(self) -> Money:
        return sum((line.amount for line in self.lines[1:]), self.lines[0].amount)


@value
class TaxLine:
    permille: int
    net: Money
    tax: Money


@value
class Linked:
    """A credit note of this bill, or the bill of this credit note."""

    id: UUID
    number: str
    kind: str
    total: Money


@value
class InvoiceDetail:
    row: InvoiceRow
    groups: list[Group]
    taxes: list[TaxLine]
    payments: list[Line]
    net: Money
    tax: Money
    purchase_ref: str | None
    linked: Sequence[Linked] = ()
    # Of the payment that is on its way to it, to quote.
    payment_reference: str | None = None

    def find_line(self, line_id: UUID) -> tuple[Group, Line]:
        """Raises NotFound where the bill has no such line."""
        for group in self.groups:
            for line in group.lines:
                if line.id == line_id:
                    return group, line
        raise NotFound


async def list_invoices(
    scope: CustomerScope, *, today: date, status: str = "all", year: int | None = None, page: int = 1
) -> InvoicePage:
    """Newest first, 25 a page; `status` is one of STATUSES or "all"."""
    first, last = (date(year, 1, 1), date(year, 12, 31)) if year else (date(1970, 1, 1), date(9999, 12, 31))
    asked = {"customer_id": scope.customer_id, "first": first, "last": last, "status": status, "today": today}
    rows, count, years = await fetch_many(
        _LIST.bind(**asked, most=PER_PAGE, skip=(page - 1) * PER_PAGE),
        _COUNT.bind(**asked),
        _YEARS.bind(customer_id=scope.customer_id),
        short=True,
    )
    span = years[0]
    known = list(range(span["last"].year, span["first"].year - 1, -1)) if span["first"] else []
    return InvoicePage([_row(row, today) for row in rows], int(count[0]["n"]), page, known)


async def open_bills(scope: CustomerScope, *, today: date) -> list[InvoiceRow]:
    """What is not settled yet, the earliest due first."""
    return open_rows(await fetch(OPEN_BILLS.bind(customer_id=scope.customer_id), short=True), today)


def open_bills_told(scope: CustomerScope, now: datetime) -> Bound:
    """For screens that read several things in one snapshot; turn the answer into rows by `open_rows`. Told beside them:
    `in_question` now, and `untaken_at`, when a bill should have paid itself last and no card did it."""
    return _OPEN_BILLS_TOLD.bind(customer_id=scope.customer_id, now=now)


def open_rows(rows: Iterable[dict[str, Any]], today: date) -> list[InvoiceRow]:
    return [_row(row, today) for row in rows]


def due_of(rows: Iterable[InvoiceRow], scope: CustomerScope, credit: Money | None = None) -> AmountDue:
    return amount_due((row.bill for row in rows), credit=credit or Money.zero(scope.currency))


async def get_invoice(scope: CustomerScope, invoice_id: UUID, *, today: date) -> InvoiceDetail:
    """One bill with its lines; NotFound when it is not this customer's or not issued yet."""
    asked = {"customer_id": scope.customer_id, "invoice_id": invoice_id}
    found, lines, linked = await fetch_many(_ONE.bind(**asked), _LINES.bind(**asked), _LINKED.bind(**asked), short=True)
    if not found:
        raise NotFound
    currency = found[0]["currency"]
    charges = [row for row in lines if row["kind"] not in ("payment", "refund")]
    return InvoiceDetail(
        row=_row(found[0], today),
        groups=_groups(charges, currency),
        taxes=_taxes(charges, currency),
        payments=[_line(row, currency) for row in lines if row["kind"] in ("payment", "refund")],
        net=Money(found[0]["net_minor"], currency),
        tax=Money(found[0]["tax_minor"], currency),
        purchase_ref=found[0]["purchase_ref"],
        payment_reference=found[0]["payment_reference"],
        linked=[
            Linked(one["id"], one["number"], one["kind"], Money(one["total_minor"], one["currency"])) for one in linked
        ],
    )


async def is_paid_by_itself(scope: CustomerScope) -> bool:
    """Whether somebody agreed to automatic payment."""
    return await fetch_one(_AUTOPAY.bind(customer_id=scope.customer_id), short=True) is not None


def _row(row: dict[str, Any], today: date) -> InvoiceRow:
    bill = Bill(
        currency=row["currency"],
        net_minor=row["net_minor"],
        tax_minor=row["tax_minor"],
        paid_minor=row["paid_minor"],
        due_on=row["due_on"],
        state=row["state"],
        kind=row["kind"],
        on_its_way_minor=row["on_its_way_minor"] or 0,
    )
    return InvoiceRow(
        id=row["id"],
        number=row["number"],
        issued_on=row["date"],
        due_on=row["due_on"],
        bill=bill,
        label=label_of(bill, today),
        due=due_words(bill, today),
        period_start=row["period_start"],
        period_end=row["period_end"],
        payment_id=row["payment_id"],
        order_id=row.get("order_id"),
    )


def _line(row: dict[str, Any], currency: str) -> Line:
    price = row["unit_price_minor"]
    return Line(
        id=row["id"],
        description=row["description"],
        kind=row["kind"],
        at=row["at"],
        quantity=row["quantity"],
        unit_price=None if price is None else Money(price, currency),
        amount=Money(row["amount_minor"], currency),
        tax=Money(row["tax_minor"], currency),
        tax_permille=row["tax_permille"],
        period_start=row["period_start"],
        period_end=row["period_end"],
    )


def _groups(rows: Iterable[dict[str, Any]], currency: str) -> list[Group]:
    groups: dict[UUID | None, Group] = {}
    for row in rows:
        key = row["service_id"]
        group = groups.setdefault(key, Group(key, row["nickname"] or row["service_name"], []))
        group.lines.append(_line(row, currency))
    return sorted(groups.values(), key=lambda group: (group.name is None, group.name or ""))


def _taxes(rows: Iterable[dict[str, Any]], currency: str) -> list[TaxLine]:
    sums: dict[int, list[int]] = {}
    for row in rows:
        found = sums.setdefault(row["tax_permille"], [0, 0])
        found[0] += row["amount_minor"]
        found[1] += row["tax_minor"]
    return [TaxLine(rate, Money(net, currency), Money(tax, currency)) for rate, (net, tax) in sorted(sums.items())]
