"""Bills in the books: what was issued is owed, what is paid is owed no more. All of it inside `transaction()`.

A bill is posted when money first touches it, the rest by a job. What was paid before it was posted came in elsewhere.
Lock bills before anything else, and by `lock`: two that pay at once then wait for each other and never in a ring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing.ledger import Account, Entry, Journal, Kind, post, post_many

AT_ONCE = 200
MOST_A_RUN = 20_000


@dataclass(frozen=True, slots=True)
class Locked:
    """A bill nobody else changes until the end of the transaction."""

    id: UUID
    customer_id: UUID
    number: str
    kind: str
    state: str
    currency: str
    due_on: date
    net: Money
    tax: Money
    paid: Money

    @property
    def remaining(self) -> Money:
        return self.net + self.tax - self.paid

    @property
    def is_payable(self) -> bool:
        return self.state == "issued" and self.kind != "credit_note" and self.remaining.minor > 0


async def lock(customer_id: UUID, invoice_ids: Iterable[UUID]) -> dict[UUID, Locked]:
    """Raises NotFound for one that is not this customer's, or a draft."""
    found = {}
    for invoice_id in sorted(set(invoice_ids)):
        rows = await execute(LOCK.bind(customer_id=customer_id, id=invoice_id))
        if not rows:
            raise NotFound
        found[invoice_id] = _locked(rows[0])
    return found


def _locked(row: dict[str, Any]) -> Locked:
    currency = row["currency"]
    return Locked(
        id=row["id"],
        customer_id=row["customer_id"],
        number=row["number"],
        kind=row["kind"],
        state=row["state"],
        currency=currency,
        due_on=row["due_on"],
        net=Money(row["net_minor"], currency),
        tax=Money(row["tax_minor"], currency),
        paid=Money(row["paid_minor"], currency),
    )


COLUMNS = "id, customer_id, number, kind, state, currency, due_on, net_minor, tax_minor, paid_minor"
LOCK = Prepared.sql(
    f"""
    UPDATE invoice SET paid_minor = paid_minor
    WHERE customer_id = :customer_id AND id = :id AND state <> 'draft' RETURNING {COLUMNS}
    """
)


@dataclass(frozen=True, slots=True)
class Applied:
    amount: Money
    settles: bool


async def apply(bill: Locked, amount: Money, *, payment_id: UUID | None, words: str) -> Applied:
    """Pays as much of the bill as is still open. What it could not take is the caller's to keep safe."""
    nothing = Money.zero(bill.currency)
    taken = min(amount, bill.remaining) if bill.is_payable else nothing
    if taken.minor <= 0:
        return Applied(nothing, settles=False)
    await post_bill(bill)
    rows = await execute(PAY.bind(customer_id=bill.customer_id, id=bill.id, minor=taken.minor))
    if not rows:
        raise RuntimeError("this bill was not locked")
    await add_line("payment", -taken, words, customer_id=bill.customer_id, invoice_id=bill.id, payment_id=payment_id)
    return Applied(taken, settles=rows[0]["state"] == "settled")


async def reopen(bill: Locked, amount: Money, *, payment_id: UUID, words: str) -> None:
    """Takes back what a payment had paid: the money goes back to where it came from."""
    rows = await execute(UNPAY.bind(customer_id=bill.customer_id, id=bill.id, minor=amount.minor))
    if not rows:
        raise ValueError("so much was never paid on this bill")
    await add_line("refund", amount, words, customer_id=bill.customer_id, invoice_id=bill.id, payment_id=payment_id)


PAY = Prepared.sql(
    """
    UPDATE invoice SET paid_minor = paid_minor + :minor,
        state = CASE WHEN net_minor + tax_minor = paid_minor + :minor THEN 'settled' ELSE state END
    WHERE customer_id = :customer_id AND id = :id AND state = 'issued' AND kind <> 'credit_note'
        AND net_minor + tax_minor - paid_minor >= :minor
    RETURNING state
    """
)
UNPAY = Prepared.sql(
    """
    UPDATE invoice SET paid_minor = paid_minor - :minor, state = 'issued'
    WHERE customer_id = :customer_id AND id = :id AND state IN ('issued', 'settled') AND paid_minor >= :minor
    RETURNING state
    """
)


async def add_line(
    kind: str,
    amount: Money,
    words: str,
    *,
    customer_id: UUID,
    invoice_id: UUID | None = None,
    order_id: UUID | None = None,
    payment_id: UUID | None = None,
) -> None:
    """A line of the customer's transactions; without a bill it stands beside them."""
    now = clock.now()
    await execute(
        ADD_LINE.bind(
            id=new_id(),
            customer_id=customer_id,
            at=now,
            kind=kind,
            description=words[:200],
            amount=amount.minor,
            currency=amount.currency,
            invoice_id=invoice_id,
            order_id=order_id,
            payment_id=payment_id,
        )
    )


ADD_LINE = Prepared.sql(
    """
    INSERT INTO billing_transaction (id, customer_id, at, kind, description, quantity, amount_minor, tax_permille,
        tax_minor, currency, invoice_id, order_id, payment_id, created_at)
    VALUES (:id, :customer_id, :at, :kind, :description, 1, :amount, 0, 0, :currency, :invoice_id, :order_id,
        :payment_id, :at)
    """
)


async def post_bill(bill: Locked) -> None:
    """Once; before anything is paid on it here."""
    await post(_journal(bill))


def _journal(bill: Locked) -> Journal:
    owed = Account(Kind.RECEIVABLE, bill.currency, bill.customer_id)
    entries = [
        Entry(owed, (bill.net + bill.tax).minor),
        Entry(Account(Kind.SALES, bill.currency), -bill.net.minor),
        Entry(Account(Kind.TAX, bill.currency), -bill.tax.minor),
        Entry(Account(Kind.ELSEWHERE, bill.currency), bill.paid.minor),
        Entry(owed, -bill.paid.minor),
    ]
    return Journal(f"bill:{bill.id}", "bill", entries, bill.customer_id, bill.id)


async def post_new_bills() -> int:
    """The job: every issued bill that is not in the books yet, and every one that became void since; how many."""
    posted = 0
    while posted < MOST_A_RUN:
        rows = await fetch(NEW.bind(most=AT_ONCE))
        if not rows:
            break
        async with transaction():
            # Read again under the lock: a payment may have been faster.
            bills = [bill for row in rows if (bill := await _lock_any(row["customer_id"], row["id"]))]
            await post_many(_journal(bill) for bill in bills)
        posted += len(rows)
    return posted + await _reverse_void()


async def _lock_any(customer_id: UUID, invoice_id: UUID) -> Locked | None:
    rows = await execute(LOCK.bind(customer_id=customer_id, id=invoice_id))
    return _locked(rows[0]) if rows else None


async def _reverse_void() -> int:
    rows = await fetch(NEWLY_VOID.bind(most=MOST_A_RUN))
    for row in rows:
        async with transaction():
            bill = await _lock_any(row["customer_id"], row["id"])
            if bill is not None and bill.state == "void":
                await post(_void_journal(bill))
    return len(rows)


def _void_journal(bill: Locked) -> Journal:
    """What was paid on it is the customer's again."""
    owed = Account(Kind.RECEIVABLE, bill.currency, bill.customer_id)
    entries: Sequence[Entry] = [
        Entry(Account(Kind.SALES, bill.currency), bill.net.minor),
        Entry(Account(Kind.TAX, bill.currency), bill.tax.minor),
        Entry(owed, -(bill.net + bill.tax).minor),
        Entry(owed, bill.paid.minor),
        Entry(Account(Kind.CREDIT, bill.currency, bill.customer_id), -bill.paid.minor),
    ]
    return Journal(f"bill_void:{bill.id}", "bill_void", entries, bill.customer_id, bill.id)


NEW = Prepared.sql(
    """
    SELECT i.id, i.customer_id FROM invoice i
    WHERE i.state IN ('issued', 'settled') AND i.kind <> 'proforma' AND i.net_minor + i.tax_minor <> 0
        AND NOT EXISTS (SELECT 1 FROM ledger_journal j WHERE j.about = i.id AND j.kind = 'bill')
    ORDER BY i.id LIMIT :most
    """
)
NEWLY_VOID = Prepared.sql(
    """
    SELECT i.id, i.customer_id FROM invoice i
    JOIN ledger_journal j ON j.about = i.id AND j.kind = 'bill'
    WHERE i.state = 'void'
        AND NOT EXISTS (SELECT 1 FROM ledger_journal v WHERE v.about = i.id AND v.kind = 'bill_void')
    LIMIT :most
    """
)
