"""What staff decide where the gateway left money undecided: once, with the books in order, and told."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict
from selfcare.kernel.money import Money
from selfcare.portal.billing import ledger
from selfcare.portal.pay import payment, refunds, reviewing
from selfcare.portal.pay.payment import Payment, State
from selfcare.portal.pay.refunds import Refund, Source
from tests.support import money
from tests.support.money import Counter, Purse

WHY = "Bank statement of 3 May, line 14"


async def refused(counter: Counter, purse: Purse) -> tuple[Payment, Refund]:
    """A refund that the bank would not make."""
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400), outcome=Outcome.REFUND_FAILS)
    made = await refunds.refund(
        counter.till, purse.person, paid.id, Money(2_400, "GBP"), source=Source.BILL, reason="asked for it"
    )
    await counter.work()
    with clock.frozen(clock.now() + timedelta(hours=1)):
        await counter.work()
    assert (await refunds.load_refund(made.id)).state == "failed"
    return paid, made


async def decisions(paid: Payment) -> list[str]:
    asked = Prepared.sql("SELECT details FROM audit_event WHERE about = :about AND event = 'pay.reviewed'")
    return [json.loads(row["details"])["decision"] for row in await fetch(asked.bind(about=str(paid.id)))]


async def test_what_was_given_back_outside_is_promised_no_more(counter: Counter, purse: Purse) -> None:
    paid, made = await refused(counter, purse)
    async with transaction():
        await reviewing.given_outside(counter.till, purse.person, made.id, WHY)
    assert (await refunds.load_refund(made.id)).state == "done"
    assert (await payment.load(paid.id)).state is State.REFUNDED
    assert (await ledger.balances(purse)).refunding == Money(0, "GBP")
    assert await ledger.check() == []
    assert await decisions(paid) == ["given back outside"]


async def test_it_is_sent_again_under_a_new_number(counter: Counter, purse: Purse) -> None:
    paid, made = await refused(counter, purse)
    async with transaction():
        await reviewing.send_again(counter.till, purse.person, made.id, WHY)
    again = await refunds.load_refund(made.id)
    assert (again.state, again.number) == ("due", made.number + 1)
    assert (await payment.load(paid.id)).state is State.REFUND_DUE
    await counter.work()
    # This bank never gives in: so it waits for staff once more, with nothing lost.
    with clock.frozen(clock.now() + timedelta(hours=1)):
        await counter.work()
    assert (await refunds.load_refund(made.id)).state == "failed"
    assert (await ledger.balances(purse)).refunding == Money(2_400, "GBP")
    assert await ledger.check() == []


async def test_two_decisions_are_one(counter: Counter, purse: Purse) -> None:
    paid, made = await refused(counter, purse)
    async with transaction():
        await reviewing.given_outside(counter.till, purse.person, made.id, WHY)
    for decide in (reviewing.given_outside, reviewing.send_again):
        with pytest.raises(Conflict, match="any more"):
            async with transaction():
                await decide(counter.till, purse.person, made.id, WHY)
    assert await decisions(paid) == ["given back outside"]


async def test_money_that_did_not_fit_is_put_right_and_the_bill_can_be_paid(counter: Counter, purse: Purse) -> None:
    bill = await money.bill(purse, 2_400)
    paid = await money.pay(counter, purse, bill, outcome=Outcome.DECLINED)
    async with transaction():
        await execute(Prepared.sql("UPDATE payment SET state = 'manual_review' WHERE id = :id").bind(id=paid.id))
    async with transaction():
        await reviewing.nothing_taken(counter.till, purse.person, paid.id, WHY)
    assert (await payment.load(paid.id)).state is State.FAILED
    assert await ledger.check() == []
    assert (await money.pay(counter, purse, bill)).state is State.SUCCEEDED


async def test_what_was_settled_is_never_counted_as_failed(counter: Counter, purse: Purse) -> None:
    paid, _made = await refused(counter, purse)
    with pytest.raises(Conflict, match="any more"):
        async with transaction():
            await reviewing.nothing_taken(counter.till, purse.person, paid.id, WHY)
    assert (await payment.load(paid.id)).state is State.MANUAL_REVIEW
