"""What is taken off a line of a bill: first off the bill itself, the rest becomes credit."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch_one, insert_many
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing import bookkeeping, credit_notes, ledger
from selfcare.portal.billing.credit_notes import CreditNote
from selfcare.portal.billing.tables import Transaction
from selfcare.portal.pay import payments
from selfcare.portal.pay.payments import BillPart
from tests.support import money
from tests.support.money import Counter, Purse

GBP = "GBP"
NOTE = Prepared.sql("SELECT kind, net_minor, tax_minor, paid_minor, state, corrects_id FROM invoice WHERE id = :id")
SUM = Prepared.sql(
    "SELECT COALESCE(SUM(amount_minor + tax_minor), 0) AS minor FROM billing_transaction WHERE customer_id = :id",
    types={"minor": int},
)


async def line_of(purse: Purse, bill: UUID, gross: int) -> UUID:
    """One charge at 20 per cent tax."""
    id, net = new_id(), gross * 5 // 6
    row = {"id": id, "customer_id": purse.customer_id, "at": clock.now(), "kind": "charge", "description": "Roaming"}
    row |= {"amount_minor": net, "tax_minor": gross - net, "tax_permille": 200, "currency": GBP, "invoice_id": bill}
    async with transaction():
        await insert_many(Transaction, [row | {"quantity": 1, "created_at": clock.now()}])
    return id


async def give(purse: Purse, line: UUID, minor: int) -> CreditNote:
    async with transaction():
        return await credit_notes.give(purse.person, purse.customer_id, line, Money(minor, GBP), zone="Europe/London")


async def position(purse: Purse) -> int:
    """What the customer owes less what they have with us, by the books and by the list of transactions."""
    books = await ledger.balances(purse)
    row = await fetch_one(SUM.bind(id=purse.customer_id))
    assert row is not None
    assert books.owed.minor - books.credit.minor == row["minor"]
    return int(row["minor"])


async def test_an_open_bill_gets_smaller(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    line = await line_of(purse, bill, 2_400)
    note = await give(purse, line, 600)
    assert note.number.startswith("CN-")
    assert (note.net, note.tax) == (Money(500, GBP), Money(100, GBP))
    assert (note.off_bill, note.to_credit) == (Money(600, GBP), Money(0, GBP))
    assert await money.remaining(bill) == 1_800
    row = await fetch_one(NOTE.bind(id=note.id))
    expected = {"kind": "credit_note", "net_minor": -500, "tax_minor": -100, "paid_minor": -600, "state": "settled"}
    assert row == expected | {"corrects_id": bill}
    assert await position(purse) == 1_800
    await bookkeeping.post_new_bills()
    await money.check_all()


async def test_of_a_paid_bill_it_becomes_credit_that_can_be_used(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    line = await line_of(purse, bill, 2_400)
    await money.pay(counter, purse, bill)
    note = await give(purse, line, 2_400)
    assert (note.off_bill, note.to_credit) == (Money(0, GBP), Money(2_400, GBP))
    assert await money.credit(purse) == 2_400
    assert await position(purse) == -2_400
    next_bill = await money.bill(purse, 1_000)
    await money.pay(counter, purse, next_bill, outcome=None)
    assert await money.credit(purse) == 1_400
    await counter.work()
    await money.check_at_rest()


async def test_of_a_part_paid_bill_the_rest_is_settled_first(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    line = await line_of(purse, bill, 2_400)
    await money.pay(counter, purse, BillPart(bill, Money(2_000, GBP)))
    note = await give(purse, line, 900)
    assert (note.off_bill, note.to_credit) == (Money(400, GBP), Money(500, GBP))
    assert await money.remaining(bill) == 0
    assert await position(purse) == -500
    await money.check_all()


@pytest.mark.parametrize("minor", [0, -1, 2_401])
async def test_not_more_than_the_line(counter: Counter, purse: Purse, minor: int) -> None:
    line = await line_of(purse, await money.bill(purse, 2_400), 2_400)
    with pytest.raises(Rejected, match="At most £24"):
        await give(purse, line, minor)
    with pytest.raises(Rejected):
        async with transaction():
            await credit_notes.give(purse.person, purse.customer_id, line, Money(1, "EUR"), zone="Europe/London")


async def test_somebody_elses_line_is_not_found(counter: Counter, purse: Purse) -> None:
    line = await line_of(purse, await money.bill(purse, 2_400), 2_400)
    with pytest.raises(NotFound):
        await give(await money.purse(), line, 100)


@pytest.mark.parametrize("state", ["draft", "void"])
async def test_a_bill_that_is_not_owed_gets_none(counter: Counter, purse: Purse, state: str) -> None:
    line = await line_of(purse, await money.bill(purse, 2_400, state=state), 2_400)
    with pytest.raises(NotFound):
        await give(purse, line, 100)


async def test_notes_are_numbered_without_a_gap_also_after_a_refusal(counter: Counter, purse: Purse) -> None:
    line = await line_of(purse, await money.bill(purse, 2_400), 2_400)
    first = await give(purse, line, 100)
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await credit_notes.give(purse.person, purse.customer_id, line, Money(1, GBP), zone="Europe/London")
            raise ZeroDivisionError
    second = await give(purse, line, 100)
    assert int(second.number[-6:]) == int(first.number[-6:]) + 1


async def test_money_that_arrives_for_what_was_credited_meanwhile_becomes_credit(
    counter: Counter, purse: Purse
) -> None:
    bill = await money.bill(purse, 2_400)
    line = await line_of(purse, bill, 2_400)
    open_payment = await money.pay(counter, purse, bill, outcome=Outcome.DECIDES_LATER)
    assert open_payment.is_open
    await give(purse, line, 2_400)
    await counter.work()
    with clock.frozen(clock.now() + timedelta(hours=1)):
        await counter.work()
        await payments.look(counter.till, open_payment.id)
    assert await money.remaining(bill) == 0
    assert await money.credit(purse) == 2_400
    await money.check_all()
