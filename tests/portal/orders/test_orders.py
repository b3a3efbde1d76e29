"""From the click to what was bought or to the money again: once, whatever answers get lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome as Bank
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.portal.billing import ledger
from selfcare.portal.orders import order as reading
from selfcare.portal.orders import orders, stepping
from selfcare.portal.orders.order import Kind, State
from selfcare.portal.orders.outcome import DONE, RUNNING, UNKNOWN
from selfcare.portal.pay import payment, refunds
from selfcare.portal.pay.payments import How
from tests.support import money, shopping
from tests.support.money import Counter, Purse
from tests.support.shopping import FAILED, wanted

LINES = Prepared.sql(
    """
    SELECT kind, amount_minor + tax_minor AS minor FROM billing_transaction WHERE customer_id = :id
     ORDER BY kind, amount_minor
    """
)
DISPUTED = Prepared.sql("UPDATE payment SET disputed_at = created_at WHERE id = :id")
FORGET_JOBS = Prepared.sql("DELETE FROM job")
ORDERS = Prepared.sql("SELECT state FROM purchase_order WHERE customer_id = :id")


class OneLine(shopping.Everything):
    """A scope that may see one line."""

    def __init__(self, purse: Purse, service_id: UUID) -> None:
        super().__init__(purse)
        self.service_ids = frozenset({service_id})

    def covers(self, service_id: object, /) -> bool:
        return service_id in self.service_ids


async def is_found(scope: shopping.Everything, order_id: UUID) -> bool:
    try:
        await reading.get(scope, order_id)
    except NotFound:
        return False
    return True


async def lines(purse: Purse) -> list[tuple[str, int]]:
    return [(row["kind"], row["minor"]) for row in await fetch(LINES.bind(id=purse.customer_id))]


async def test_what_is_paid_is_delivered_and_earned(counter: Counter, purse: Purse) -> None:
    shop, deliverer = shopping.shop(counter)
    bought = await shopping.buy(shop, counter, purse, wanted())
    assert bought.state is State.DELIVERED
    await counter.work()
    assert deliverer.asked == [bought.id]
    assert await money.taken(purse) == 1_000
    assert await lines(purse) == [("charge", 1_000), ("payment", -1_000)]
    seen = await reading.get(shopping.Everything(purse), bought.id)
    assert [step.state for step in seen.steps] == ["open", "paid", "delivering", "delivered"]
    await shopping.check_all()
    await money.check_at_rest()


async def test_what_costs_nothing_needs_no_payment(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter)
    bought = await shopping.buy(shop, counter, purse, wanted(0), bank=None)
    assert (bought.state, bought.payment_id) == (State.DELIVERED, None)
    assert await lines(purse) == []


async def test_credit_pays_before_the_card(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter)
    await money.give_credit(counter, purse, 300)
    await shopping.buy(shop, counter, purse, wanted())
    assert (await money.taken(purse), await money.credit(purse)) == (1_000, 0)
    await shopping.check_all()


@pytest.mark.parametrize(
    ("credit", "back"), [(0, 1_000), (300, 700), (2_000, 0)], ids=["card", "credit and card", "credit"]
)
async def test_what_definitely_failed_goes_back_to_where_the_money_came_from(
    counter: Counter, purse: Purse, credit: int, back: int
) -> None:
    shop, _ = shopping.shop(counter, FAILED)
    if credit:
        await money.give_credit(counter, purse, credit)
    failed = await shopping.buy(shop, counter, purse, wanted())
    assert failed.state is (State.REFUND_DUE if back else State.REFUNDED)
    await counter.work()
    assert (await reading.load(failed.id)).state is State.REFUNDED
    assert (await money.taken(purse), await money.credit(purse)) == (credit, credit)
    assert sum(minor for _kind, minor in await lines(purse)) == -credit
    await shopping.check_all()
    await money.check_at_rest()


async def test_a_refused_card_cancels_the_order(counter: Counter, purse: Purse) -> None:
    shop, deliverer = shopping.shop(counter)
    ended = await shopping.buy(shop, counter, purse, wanted(), bank=Bank.NO_FUNDS)
    assert ended.state is State.CANCELED
    await counter.work()
    assert deliverer.asked == []
    assert await lines(purse) == []
    await shopping.check_all()


async def test_what_failed_is_given_back_once_however_often_one_looks(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter, FAILED)
    failed = await shopping.buy(shop, counter, purse, wanted())
    for _again in range(2):
        await orders.advance(shop, failed.id)
        await counter.work()
    assert failed.payment_id is not None
    (refund,) = await refunds.list_refunds(await payment.load(failed.payment_id))
    assert (refund.amount.minor, await money.taken(purse)) == (1_000, 0)


async def test_nobody_elses_order_is_found(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter)
    bought = await shopping.buy(shop, counter, purse, wanted())
    with pytest.raises(NotFound):
        await reading.get(shopping.Everything(await money.purse()), bought.id)


async def test_who_sees_some_lines_gets_a_full_page_of_their_orders(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter)
    own, other = ids.new_id(), ids.new_id()
    bought = []
    for service in (own, own, other, other, other):
        bought.append(await shopping.buy(shop, counter, purse, wanted(0, service_id=service), bank=None))
        clock.travel_by(timedelta(minutes=1))
    scope = OneLine(purse, own)
    seen = await reading.latest(scope, before=clock.now(), most=2)
    assert [order.id for order in seen] == [bought[1].id, bought[0].id]
    # All of a bundle, what was given to somebody, and what is for no line; as one by one.
    for services in ((own, own), (own, other)):
        whole = wanted(0, kind=Kind.BUNDLE, delivers={"services": [str(one) for one in services]})
        inside = [wanted(0, service_id=one) for one in services]
        async with transaction():
            bought.append(await orders.write(shop, purse.who, whole, How(request_key=ids.token()), inside))
    for more in ({"service_id": other, "owner_id": (await money.purse()).customer_id}, {}):
        async with transaction():
            bought.append(await orders.write(shop, purse.who, wanted(0, **more), How(request_key=ids.token())))
    told = {order.id for order in await reading.latest(scope, before=clock.now() + timedelta(days=1))}
    assert told == {order.id for order in bought if await is_found(scope, order.id)}
    assert len(told) == 5


async def test_credit_alone_pays_where_no_card_may_be_used(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter)
    await money.give_credit(counter, purse, 400)
    with pytest.raises(Rejected, match="not enough credit"):
        await shopping.buy(shop, counter, purse, wanted(), credit_only=True)
    assert await reading.latest(shopping.Everything(purse), before=clock.now() + timedelta(days=1)) == []
    bought = await shopping.buy(shop, counter, purse, wanted(400), credit_only=True)
    assert bought.state is State.DELIVERED


async def test_while_it_runs_the_money_stays_and_nobody_asks_twice_at_once(counter: Counter, purse: Purse) -> None:
    shop, deliverer = shopping.shop(counter, RUNNING, UNKNOWN, DONE)
    bought = await shopping.buy(shop, counter, purse, wanted())
    assert bought.state is State.DELIVERING
    with clock.frozen(clock.now() + timedelta(seconds=5)):
        await counter.work()
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        await counter.work()
    assert (await reading.load(bought.id)).state is State.DELIVERED
    assert len(deliverer.asked) == 3
    assert await money.taken(purse) == 1_000
    await shopping.check_all()


async def test_what_nobody_can_say_for_an_hour_waits_for_a_person_with_its_money(
    counter: Counter, purse: Purse
) -> None:
    shop, _ = shopping.shop(counter, UNKNOWN)
    bought = await shopping.buy(shop, counter, purse, wanted())
    with clock.frozen(clock.now() + timedelta(hours=2)):
        await orders.advance(shop, bought.id)
    stuck = await reading.load(bought.id)
    assert stuck.state is State.REVIEW
    assert await money.taken(purse) == 1_000
    await shopping.check_all()


async def test_a_late_success_after_review_is_still_a_success(counter: Counter, purse: Purse) -> None:
    shop, _ = shopping.shop(counter, UNKNOWN)
    bought = await shopping.buy(shop, counter, purse, wanted())
    with clock.frozen(clock.now() + timedelta(hours=2)):
        stuck = await orders.advance(shop, bought.id)
        await orders.take(shop, stuck, DONE)
    assert (await reading.load(bought.id)).state is State.DELIVERED
    await shopping.check_all()


async def test_a_payment_the_bank_takes_back_already_is_not_given_back_twice(counter: Counter, purse: Purse) -> None:
    shop, deliverer = shopping.shop(counter, RUNNING)
    bought = await shopping.buy(shop, counter, purse, wanted())
    async with transaction():
        await execute(DISPUTED.bind(id=bought.payment_id))
    deliverer.says = [FAILED]
    stuck = await orders.advance(shop, bought.id)
    assert stuck.state is State.REVIEW
    assert await money.taken(purse) == 1_000


async def test_money_that_comes_after_the_order_was_given_up_goes_back(counter: Counter, purse: Purse) -> None:
    shop, deliverer = shopping.shop(counter)
    bought = await shopping.buy(shop, counter, purse, wanted(), bank=Bank.ASKS)
    assert bought.state is State.OPEN
    async with transaction():
        assert await stepping.move(bought, {State.OPEN}, State.CANCELED)
    assert bought.payment_id is not None
    ref = (await payment.load(bought.payment_id)).gateway_ref
    assert ref is not None
    await counter.gateway.approve(ref, approved=True)
    await counter.work()
    assert (await reading.load(bought.id)).state is State.REFUNDED
    assert (deliverer.asked, await money.taken(purse)) == ([], 0)
    await shopping.check_all()


async def test_the_same_form_twice_is_one_order(counter: Counter, purse: Purse) -> None:
    shop, deliverer = shopping.shop(counter)
    key = ids.token()
    await money.card(counter, purse)
    first, second = await asyncio.gather(
        *(shopping.buy(shop, counter, purse, wanted(), request_key=key) for _ in range(2))
    )
    assert first.id == second.id
    await counter.work()
    assert (await money.charges(purse), set(deliverer.asked)) == (1, {first.id})
    await shopping.check_all()


async def test_a_delivery_that_breaks_off_is_taken_up_again_by_the_sweep(counter: Counter, purse: Purse) -> None:
    shop, deliverer = shopping.shop(counter, RUNNING)
    bought = await shopping.buy(shop, counter, purse, wanted())
    async with transaction():
        await execute(FORGET_JOBS.bind())
    deliverer.says = [DONE]
    with clock.frozen(clock.now() + timedelta(minutes=11)):
        assert await orders.lost() == [bought.id]
        async with transaction():
            await counter.jobs.enqueue("order.sweep", key="now", payload={})
        await counter.work()
    assert (await reading.load(bought.id)).state is State.DELIVERED
    assert await ledger.check() == []


async def test_a_key_that_paid_a_bill_pays_for_nothing_else(counter: Counter, purse: Purse) -> None:
    shop, deliverer = shopping.shop(counter)
    key = ids.token()
    bill = await money.bill(purse, 100)
    assert (await money.pay(counter, purse, bill, request_key=key)).is_paid
    with pytest.raises(Conflict):
        await shopping.buy(shop, counter, purse, wanted(5_000), request_key=key)
    assert deliverer.asked == []
    assert await fetch(ORDERS.bind(id=purse.customer_id)) == []
    await shopping.check_all()
