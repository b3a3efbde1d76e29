"""Credit notes: what is taken off a line of an issued bill, which itself never changes.

The note first pays what is still open on its bill; what is left becomes the customer's credit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db import counters
from selfcare.db.prepared import Prepared, execute, fetch_one, insert_many
from selfcare.formats import money
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money, round_half_up
from selfcare.kernel.words import _
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.billing.bookkeeping import Locked
from selfcare.portal.billing.ledger import Account, Journal, Kind
from selfcare.portal.billing.tables import Invoice


@dataclass(frozen=True, slots=True)
class CreditNote:
    id: UUID
    number: str
    net: Money
    tax: Money
    off_bill: Money
    to_credit: Money


async def left_of(customer_id: UUID, line_id: UUID) -> Money:
    """What can still be credited of a line, tax included. Raises NotFound."""
    return _left(await _find_line(customer_id, line_id))


async def give(who: audit.Who, customer_id: UUID, line_id: UUID, amount: Money, *, zone: str) -> CreditNote:
    """Inside `transaction()`; `amount` is tax included. Raises NotFound or Rejected."""
    line = await _find_line(customer_id, line_id)
    bill = (await bookkeeping.lock(customer_id, [line["invoice_id"]]))[line["invoice_id"]]
    # Read again under the lock: somebody may have been faster.
    line = await _find_line(customer_id, line_id)
    left = _left(line)
    if amount.currency != left.currency or not 0 < amount.minor <= left.minor:
        raise Rejected(_("At most %(left)s of this line can still be credited.") % {"left": money(left)}, "amount")
    await bookkeeping.post_bill(bill)
    note = await _issue(bill, line, amount, zone)
    await bookkeeping.post_bill(note)
    given = await _spend(bill, note, amount)
    await audit.record(
        who,
        Event.BILLING_CREDITED,
        about=note.id,
        amount_minor=amount.minor,
        currency=amount.currency,
        reason="dispute",
    )
    return given


async def _find_line(customer_id: UUID, line_id: UUID) -> dict[str, Any]:
    row = await fetch_one(_LINE.bind(customer_id=customer_id, line_id=line_id))
    if row is None:
        raise NotFound
    return row


def _left(line: dict[str, Any]) -> Money:
    return Money(
        line["amount_minor"] + line["tax_minor"] - line["credited_net"] - line["credited_tax"], line["currency"]
    )


async def _issue(bill: Locked, line: dict[str, Any], amount: Money, zone: str) -> Locked:
    today, now = clock.today(zone), clock.now()
    nothing = Money.zero(amount.currency)
    note = replace(
        bill,
        id=new_id(),
        number=f"CN-{today.year}-{await counters.take(f'credit-note-{today.year}'):06}",
        kind="credit_note",
        state="issued",
        due_on=today,
        tax=-_tax_in(amount, line),
        net=-(amount - _tax_in(amount, line)),
        paid=nothing,
    )
    row = {
        "id": note.id,
        "customer_id": note.customer_id,
        "number": note.number,
        "kind": note.kind,
        "date": today,
        "due_on": today,
        "currency": note.currency,
        "net_minor": note.net.minor,
        "tax_minor": note.tax.minor,
        "paid_minor": 0,
        "state": note.state,
        "corrects_id": bill.id,
        "created_at": now,
    }
    await insert_many(Invoice, [row])
    await execute(
        _ADD_LINE.bind(
            id=new_id(),
            customer_id=note.customer_id,
            now=now,
            description=(_("Credit: %(line)s") % {"line": line["description"]})[:200],
            net=note.net.minor,
            tax=note.tax.minor,
            permille=line["tax_permille"],
            currency=note.currency,
            invoice_id=note.id,
            service_id=line["service_id"],
        )
    )
    return note


def _tax_in(amount: Money, line: dict[str, Any]) -> Money:
    """The share of tax the line was charged with; all of it where nothing is left afterwards."""
    gross = line["amount_minor"] + line["tax_minor"]
    left, untaxed = _left(line).minor, line["tax_minor"] - line["credited_tax"]
    share = untaxed if amount.minor == left else min(round_half_up(amount.minor * line["tax_minor"], gross), untaxed)
    return Money(share, amount.currency)


async def _spend(bill: Locked, note: Locked, amount: Money) -> CreditNote:
    words = _("Credit note %(number)s") % {"number": note.number}
    off_bill = await bookkeeping.apply(bill, amount, payment_id=None, words=words)
    rest = amount - off_bill.amount
    spent = {
        _("Taken off bill %(number)s") % {"number": bill.number}: off_bill.amount,
        _("Kept as your credit"): rest,
    }
    for what, part in spent.items():
        if part:
            await bookkeeping.add_line("refund", part, what, customer_id=note.customer_id, invoice_id=note.id)
    await execute(_SETTLE.bind(customer_id=note.customer_id, id=note.id, paid=-amount.minor))
    if rest:
        await bookkeeping.add_line("credit", -rest, words, customer_id=note.customer_id)
        owed = Account(Kind.RECEIVABLE, rest.currency, note.customer_id)
        free = Account(Kind.CREDIT, rest.currency, note.customer_id)
        entries = ledger.move(rest, to=owed, out_of=free)
        await ledger.post(Journal(f"credit_note:{note.id}", "credit_note", entries, note.customer_id, note.id))
    if off_bill.settles:
        who = audit.system(customer_id=note.customer_id)
        await audit.record(who, Event.BILLING_INVOICE_SETTLED, about=bill.id)
    return CreditNote(note.id, note.number, -note.net, -note.tax, off_bill.amount, rest)


_LINE = Prepared.sql(
    """
    SELECT t.invoice_id AS invoice_id, t.description AS description, t.amount_minor AS amount_minor,
           t.tax_minor AS tax_minor, t.tax_permille AS tax_permille, t.currency AS currency,
           t.service_id AS service_id,
           COALESCE((SELECT SUM(q.credited_net_minor) FROM bill_question q WHERE q.line_id = t.id), 0) AS credited_net,
           COALESCE((SELECT SUM(q.credited_tax_minor) FROM bill_question q WHERE q.line_id = t.id), 0) AS credited_tax
      FROM billing_transaction t JOIN invoice i ON i.id = t.invoice_id AND i.customer_id = t.customer_id
     WHERE t.customer_id = :customer_id AND t.id = :line_id AND t.kind = 'charge' AND t.voided_at IS NULL
       AND i.kind = 'regular' AND i.state IN ('issued', 'settled')
    """,
    types={"credited_net": int, "credited_tax": int},
)
_ADD_LINE = Prepared.sql(
    """
    INSERT INTO billing_transaction (id, customer_id, at, kind, description, quantity, amount_minor, tax_permille,
        tax_minor, currency, invoice_id, service_id, created_at)
    VALUES (:id, :customer_id, :now, 'credit', :description, 1, :net, :permille, :tax, :currency, :invoice_id,
        :service_id, :now)
    """
)
_SETTLE = Prepared.sql(
    "UPDATE invoice SET paid_minor = :paid, state = 'settled' WHERE customer_id = :customer_id AND id = :id"
)
