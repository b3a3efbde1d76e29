"""Bills on paper. A bill's own content never changes, so the same paper is made whenever it is asked for; the hash of
what it says is kept with the first one, and a later one that says something else is an alarm.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from hashlib import sha256
from typing import Any, TypeVar
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.formats import day, money
from selfcare.identity import limits
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.words import _
from selfcare.portal.billing import queries
from selfcare.portal.billing.queries import InvoiceDetail, Line
from selfcare.portal.billing.sheet import Column, Head, Sheet
from selfcare.theme import Theme

T = TypeVar("T")
BY_USER = limits.Limit("billing.pdf", 30, timedelta(minutes=1))
TABLE = (200.0, 110.0, 83.0, 90.0)
log = logging.getLogger(__name__)

_CUSTOMER = Prepared.sql("SELECT number, name, billing_address, tax_id, language FROM customer WHERE id = :customer_id")
_SCOPE = Prepared.sql(
    """
    SELECT id AS customer_id, number AS customer_number, name AS customer_name, type AS customer_type,
           status AS customer_status, pays, currency, zone
      FROM customer WHERE id = :id
    """
)
_KEEP = Prepared.sql(
    """
    UPDATE invoice SET pdf_hash = :hash WHERE id = :id AND customer_id = :customer_id AND pdf_hash IS NULL
    RETURNING id
    """
)
_KEPT = Prepared.sql("SELECT pdf_hash FROM invoice WHERE id = :id AND customer_id = :customer_id")
# One at a time: two would only share the same lock of the interpreter.
_pool = ThreadPoolExecutor(1, thread_name_prefix="paper")


@dataclass(frozen=True, slots=True)
class Paper:
    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who the paper is for, as it is printed."""

    number: str
    name: str
    address: str
    tax_id: str | None
    language: str

    @property
    def lines(self) -> list[str]:
        first, *rest = self.address.splitlines() or [""]
        return [self.name, *([first] if first != self.name else []), *rest]


def guest(name: str) -> Receiver:
    """Who paid without signing in: nothing is known but what was typed."""
    return Receiver("", name, "", None, "en")


async def fetch_invoice(
    identity: Identity, invoice_id: UUID, *, operator: Theme, simulated: bool, today: date
) -> Paper:
    """One bill for a person to keep. Raises NotFound, and limits.TooOften after thirty in a minute."""
    await limits.claim(BY_USER, str(identity.actor_id))
    paper = await invoice_paper(identity.customer, invoice_id, operator=operator, simulated=simulated, today=today)
    async with transaction():
        await audit.record(identity, Event.BILLING_INVOICE_FETCHED, about=invoice_id, format="pdf")
    return paper


async def invoice_paper(
    scope: CustomerScope, invoice_id: UUID, *, operator: Theme, simulated: bool, today: date
) -> Paper:
    invoice = await queries.get_invoice(scope, invoice_id, today=today)
    receiver = await receiver_of(scope.customer_id)
    await _check(scope, invoice)
    body = await drawn(partial(draw_invoice, invoice, receiver, operator, simulated=simulated))
    return Paper(f"{invoice.row.number}.pdf", body)


@dataclass(frozen=True, slots=True)
class Printer:
    """Bills on paper for jobs, which ask for nobody in particular."""

    operator: Theme
    simulated: bool
    zone: str

    async def print(self, scope: CustomerScope, invoice_id: UUID) -> bytes:
        today = clock.today(self.zone)
        paper = await invoice_paper(scope, invoice_id, operator=self.operator, simulated=self.simulated, today=today)
        return paper.body

    async def pdf(self, customer_id: UUID, invoice_id: UUID) -> bytes | None:
        return await self.print(await scope_of(customer_id), invoice_id)


async def scope_of(customer_id: UUID) -> CustomerScope:
    """All of the customer. Raises NotFound."""
    row = await fetch_one(_SCOPE.bind(id=customer_id))
    if row is None:
        raise NotFound
    return CustomerScope(**row, service_ids=None)


async def receiver_of(customer_id: UUID) -> Receiver:
    row = await fetch_one(_CUSTOMER.bind(customer_id=customer_id))
    if row is None:
        raise NotFound
    return Receiver(row["number"], row["name"], row["billing_address"], row["tax_id"], row["language"])


async def drawn(draw: Callable[[], T]) -> T:
    """Drawing is work for milliseconds: in a thread, so that nobody waits for it."""
    return await asyncio.get_running_loop().run_in_executor(_pool, draw)


def draw_invoice(invoice: InvoiceDetail, receiver: Receiver, operator: Theme, *, simulated: bool) -> bytes:
    row = invoice.row
    title = title_of(invoice)
    sheet = Sheet(head_of(operator, title, receiver, simulated=simulated))
    sheet.title(title)
    facts = [(_("Date"), day(row.issued_on))]
    if row.bill.kind != "credit_note":
        facts.append((_("Due Date"), day(row.due_on)))
    if row.period_start and row.period_end:
        facts.append((_("Period"), f"{day(row.period_start)} – {day(row.period_end)}"))
    facts.append((_("Customer number"), receiver.number))
    if receiver.tax_id:
        facts.append((_("Your tax number"), receiver.tax_id))
    if invoice.purchase_ref:
        facts.append((_("Your reference"), invoice.purchase_ref))
    sheet.beside(receiver.lines, facts)
    headings = (_("Description"), _("Period"), _("Tax"), _("Amount before tax"))
    columns = [
        Column(heading, width, number=place > 1)
        for place, (heading, width) in enumerate(zip(headings, TABLE, strict=True))
    ]
    rows: list[list[str] | str] = []
    for group in invoice.groups:
        rows.append(group.name or _("Other charges"))
        rows += [_row(line) for line in group.lines]
    sheet.table(columns, rows)
    sums = [(_("All lines before tax"), money(invoice.net), False)]
    for tax in invoice.taxes:
        words = _("Tax %(rate)s %% on %(net)s") % {"rate": f"{tax.permille / 10:g}", "net": money(tax.net)}
        sums.append((words, money(tax.tax), False))
    sheet.sums([*sums, (_("Total"), money(row.bill.total), True)])
    for text in _how_to_pay(invoice, operator):
        sheet.paragraph(text)
    return sheet.finish()


def title_of(invoice: InvoiceDetail) -> str:
    words = {
        "credit_note": _("Credit note %(number)s"),
        "proforma": _("Pro-forma %(number)s"),
    }.get(invoice.row.bill.kind, _("Bill %(number)s"))
    return words % {"number": invoice.row.number}


def head_of(operator: Theme, title: str, receiver: Receiver, *, simulated: bool) -> Head:
    return Head(
        name=operator.name,
        address=operator.address,
        colour=operator.brand,
        title=title,
        language=receiver.language,
        foot=" · ".join(
            part for part in (operator.name, operator.support_phone, operator.support_mail, operator.tax_number) if part
        ),
        warning=_("SIMULATED – no money moves") if simulated else "",
    )


def _row(line: Line) -> list[str]:
    what = line.description
    if line.quantity != 1 and line.unit_price:
        what += f"\n{line.quantity} × {money(line.unit_price)}"
    period = (
        f"{day(line.period_start, style='d MMM')} – {day(line.period_end, style='d MMM')}"
        if line.period_start and line.period_end
        else day(line.at.date(), style="d MMM")
    )
    return [what, period, money(line.tax), money(line.amount)]


def _how_to_pay(invoice: InvoiceDetail, operator: Theme) -> list[str]:
    bill, number = invoice.row.bill, invoice.row.number
    if bill.state == "void":
        return [_("This bill was cancelled. There is nothing to pay.")]
    if bill.kind == "credit_note":
        return [_("This amount is credited to your account. There is nothing to pay.")]
    words = _("Please pay by %(day)s and quote %(number)s. You can pay, and see whether it is paid, in %(portal)s.")
    return [words % {"day": day(invoice.row.due_on), "number": number, "portal": operator.portal}]


async def _check(scope: CustomerScope, invoice: InvoiceDetail) -> None:
    """Keeps the hash the first time; later a difference means that an issued bill was changed."""
    key = {"id": invoice.row.id, "customer_id": scope.customer_id}
    said = hash_of(invoice)
    kept = await fetch_one(_KEPT.bind(**key))
    if kept is not None and kept["pdf_hash"] == said:
        return
    async with transaction():
        if await execute(_KEEP.bind(**key, hash=said)):
            return
        log.error("an issued bill says something else than on its first paper", extra={"invoice": invoice.row.number})
        who = audit.system(customer_id=scope.customer_id)
        await audit.record(who, Event.BILLING_LEDGER_BROKEN, about=invoice.row.id, outcome="failed", check="paper")


def hash_of(invoice: InvoiceDetail) -> str:
    """Of what the bill itself says: not of payments, which come later, nor of an address, which may change."""
    lines: list[Any] = [
        (line.description, line.quantity, line.amount.minor, line.tax.minor, line.tax_permille)
        for group in invoice.groups
        for line in group.lines
    ]
    row = invoice.row
    said = [row.number, row.bill.kind, str(row.issued_on), str(row.due_on), row.bill.currency, row.bill.total.minor]
    return sha256(json.dumps([*said, sorted(lines)]).encode()).hexdigest()
