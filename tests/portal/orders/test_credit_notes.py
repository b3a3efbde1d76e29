"""The paper for what was paid and given back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome as Bank
from selfcare.db.engine import transaction
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.portal.orders import credit_notes, orders
from selfcare.portal.orders import order as reading
from selfcare.portal.orders.order import State
from selfcare.portal.orders.outcome import DONE
from selfcare.portal.pay import payment, refunds, reviewing
from tests.support import money, shopping
from tests.support.money import Counter, Purse
from tests.support.shopping import FAILED, wanted


@pytest.mark.parametrize(("credit", "card"), [(0, 1_000), (300, 700), (2_000, 0)], ids=["card", "both", "credit"])
async def test_the_note_says_what_was_paid_with_its_tax_and_where_it_went(
    counter: Counter, purse: Purse, credit: int, card: int
) -> None:
    shop, _ = shopping.shop(counter, FAILED)
    if credit:
        await money.give_credit(counter, purse, credit)
    failed = await shopping.buy(shop, counter, purse, wanted())
    if card:
        # Nothing is credited while the bank has it in hand.
        assert await credit_notes.find([failed.id]) == []
    await counter.work()
    (note,) = await credit_notes.find([failed.id])
    assert (note.net.minor, note.tax.minor, note.card.minor, note.credit.minor) == (833, 167, card, 1_000 - card)
    await shopping.check_all()


async def test_there_is_one_however_often_the_refund_is_heard_of(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter, FAILED)
    failed = await shopping.buy(shop, counter, purse, wanted())
    await counter.work()
    for _again in range(2):
        await orders.refunded(shop, failed.id)
    assert (await reading.load(failed.id)).state is State.REFUNDED
    assert len(await credit_notes.find([failed.id])) == 1
    await shopping.check_all()


async def test_an_order_ends_with_its_money_where_the_bank_refused_and_staff_gave_it_back_outside(
    counter: Counter, purse: Purse
) -> None:
    shop, _ = shopping.shop(counter, FAILED)
    failed = await shopping.buy(shop, counter, purse, wanted(), bank=Bank.REFUND_FAILS)
    await counter.work()
    with clock.frozen(clock.now() + timedelta(hours=1)):
        await counter.work()
    assert failed.payment_id is not None
    (made,) = await refunds.list_refunds(await payment.load(failed.payment_id))
    assert (made.state, (await reading.load(failed.id)).state) == ("failed", State.REFUND_DUE)
    async with transaction():
        await reviewing.given_outside(counter.till, purse.person, made.id, "Bank statement of 3 May")
    await counter.work()
    assert (await reading.load(failed.id)).state is State.REFUNDED
    (note,) = await credit_notes.find([failed.id])
    assert credit_notes.whereto(note) == ["£10.00 was given back by bank transfer or in cash."]
    await shopping.check_all()


async def test_what_was_delivered_or_free_has_none(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter, DONE, FAILED)
    bought = await shopping.buy(shop, counter, purse, wanted())
    free = await shopping.buy(shop, counter, purse, wanted(0), bank=None)
    await counter.work()
    assert await credit_notes.find([bought.id, free.id]) == []
    with pytest.raises(NotFound):
        await credit_notes.get(bought.id)
