"""Money on its way back: whose it was, what is refused, what goes wrong, what happens twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.pay import payment, refunds
from selfcare.portal.pay.payment import Payment, State
from selfcare.portal.pay.refunds import Refund, Source
from tests.support import money
from tests.support.money import Counter, Purse

GBP = "GBP"
DISPUTED = Prepared.sql("UPDATE payment SET disputed_at = created_at WHERE id = :id")
VOID = Prepared.sql("UPDATE invoice SET state = 'void' WHERE id = :id")
LINES = Prepared.sql("SELECT kind, amount_minor FROM billing_transaction WHERE payment_id = :id ORDER BY id")


async def give(counter: Counter, purse: Purse, paid: Payment, minor: int, source: Source) -> Refund:
    return await refunds.refund(
        counter.till, purse.person, paid.id, Money(minor, GBP), source=source, reason="asked for it"
    )


async def state_of(paid: Payment) -> State:
    return (await payment.load(paid.id)).state


async def test_a_bill_is_open_again_by_what_went_back(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill)
    made = await give(counter, purse, paid, 1_000, Source.BILL)
    assert made.state == "due"
    assert await money.remaining(bill) == 1_000
    await counter.work()
    assert (await refunds.load_refund(made.id)).state == "done"
    assert await money.taken(purse) == 1_400
    assert await state_of(paid) is State.SUCCEEDED
    await money.check_at_rest()


async def test_of_several_bills_the_newest_opens_first(counter: Counter, purse: Purse) -> None:
    old, young = await money.bill(purse, 2_000, due_in=-5), await money.bill(purse, 1_000, due_in=30)
    paid = await money.pay(counter, purse, old, young)
    await give(counter, purse, paid, 1_500, Source.BILL)
    assert [await money.remaining(each) for each in (old, young)] == [500, 1_000]
    await counter.work()
    await money.check_at_rest()


async def test_all_of_it_in_two_steps_makes_the_payment_refunded(counter: Counter, purse: Purse) -> None:
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400))
    await give(counter, purse, paid, 900, Source.BILL)
    await give(counter, purse, paid, 1_500, Source.BILL)
    assert await state_of(paid) is State.REFUND_DUE
    await counter.work()
    assert await state_of(paid) is State.REFUNDED
    assert [each.number for each in await refunds.list_refunds(paid)] == [1, 2]
    assert await money.taken(purse) == 0
    await money.check_at_rest()


async def test_credit_goes_back_and_is_no_credit_any_more(counter: Counter, purse: Purse) -> None:
    await money.give_credit(counter, purse, 2_000)
    paid = await payment.load((await fetch(Prepared.sql("SELECT id FROM payment").bind()))[0]["id"])
    await give(counter, purse, paid, 1_200, Source.CREDIT)
    assert await money.credit(purse) == 800
    assert (await ledger.balances(purse)).refunding == Money(1_200, GBP)
    await counter.work()
    assert (await ledger.balances(purse)).refunding == Money(0, GBP)
    assert await money.taken(purse) == 800
    await money.check_at_rest()


async def test_goodwill_takes_nothing_from_the_customer(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill)
    await give(counter, purse, paid, 500, Source.GOODWILL)
    await counter.work()
    assert await money.remaining(bill) == 0
    assert await money.credit(purse) == 0
    lines = [(row["kind"], row["amount_minor"]) for row in await fetch(LINES.bind(id=paid.id))]
    assert lines == [("payment", -2_400), ("credit", -500), ("refund", 500)]
    await money.check_at_rest()


@pytest.mark.parametrize("minor", [0, -100, 2_401])
async def test_not_more_than_was_paid(counter: Counter, purse: Purse, minor: int) -> None:
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400))
    with pytest.raises(Rejected, match="At most £24") as refused:
        await give(counter, purse, paid, minor, Source.BILL)
    assert refused.value.field == "amount"
    assert await refunds.list_refunds(paid) == []
    await money.check_all()


async def test_another_currency_is_refused(counter: Counter, purse: Purse) -> None:
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400))
    with pytest.raises(Rejected):
        await refunds.refund(
            counter.till, purse.person, paid.id, Money(100, "EUR"), source=Source.BILL, reason="asked for it"
        )


async def test_credit_that_was_used_does_not_go_back(counter: Counter, purse: Purse) -> None:
    await money.give_credit(counter, purse, 2_000)
    paid = await payment.load((await fetch(Prepared.sql("SELECT id FROM payment").bind()))[0]["id"])
    await money.pay(counter, purse, await money.bill(purse, 1_500), outcome=None)
    with pytest.raises(Conflict, match="used this money already"):
        await give(counter, purse, paid, 1_000, Source.CREDIT)
    assert await refunds.list_refunds(paid) == []
    assert (await payment.load(paid.id)).refunded == Money(0, GBP)
    await money.check_all()


async def test_what_is_on_no_bill_opens_none(counter: Counter, purse: Purse) -> None:
    await money.give_credit(counter, purse, 2_000)
    paid = await payment.load((await fetch(Prepared.sql("SELECT id FROM payment").bind()))[0]["id"])
    with pytest.raises(Conflict, match="not on bills"):
        await give(counter, purse, paid, 1_000, Source.BILL)
    with pytest.raises(Conflict, match="used this money"):
        await give(counter, purse, paid, 1_000, Source.ORDER)


async def test_a_void_bill_is_not_opened_but_its_money_is_credit(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill)
    async with transaction():
        await execute(VOID.bind(id=bill))
    await bookkeeping.post_new_bills()
    with pytest.raises(Conflict, match="not on bills"):
        await give(counter, purse, paid, 2_400, Source.BILL)
    await give(counter, purse, paid, 2_400, Source.CREDIT)
    await counter.work()
    assert await money.taken(purse) == 0
    assert await ledger.check() == []


async def test_what_the_bank_takes_back_itself_is_not_given_back_too(counter: Counter, purse: Purse) -> None:
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400))
    async with transaction():
        await execute(DISPUTED.bind(id=paid.id))
    with pytest.raises(Conflict, match="would double it"):
        await give(counter, purse, paid, 100, Source.BILL)


async def test_a_payment_that_failed_has_nothing_to_give(counter: Counter, purse: Purse) -> None:
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400), outcome=Outcome.DECLINED)
    assert paid.state is State.FAILED
    with pytest.raises(Conflict, match="cannot be given back"):
        await give(counter, purse, paid, 100, Source.BILL)
    with pytest.raises(NotFound):
        await refunds.refund(
            counter.till, purse.person, new_id(), Money(1, GBP), source=Source.BILL, reason="asked for it"
        )


async def test_a_bank_that_refuses_leaves_it_to_staff(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill, outcome=Outcome.REFUND_FAILS)
    made = await give(counter, purse, paid, 2_400, Source.BILL)
    await counter.work()
    with clock.frozen(clock.now() + timedelta(hours=1)):
        await counter.work()
    assert (await refunds.load_refund(made.id)).state == "failed"
    assert await state_of(paid) is State.MANUAL_REVIEW
    # Not the customer's loss: what is promised stays promised until somebody decided.
    assert (await ledger.balances(purse)).refunding == Money(2_400, GBP)
    await money.check_all()


async def test_sending_again_and_again_sends_once(counter: Counter, purse: Purse) -> None:
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400))
    made = await give(counter, purse, paid, 1_000, Source.BILL)
    for _n in range(3):
        await refunds.send_now(counter.till, made.id)
    await counter.work()
    assert await money.taken(purse) == 1_400
    await money.check_at_rest()


async def test_eight_at_once_give_back_no_more_than_was_paid(counter: Counter, purse: Purse) -> None:
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400))

    async def one() -> UUID | None:
        try:
            return (await give(counter, purse, paid, 1_000, Source.BILL)).id
        except (Conflict, Rejected):
            return None

    made = [each for each in await asyncio.gather(*(one() for _n in range(8))) if each]
    assert len(made) == 2
    await counter.work()
    assert await money.taken(purse) == 400
    await money.check_at_rest()
