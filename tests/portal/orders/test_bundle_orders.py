"""A bundle: one payment, and each part delivered or given back by itself, once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.adapters.payments_embedded_bank import Outcome as Bank
from selfcare.audit import log as audit
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock
from selfcare.portal.orders import jobs, orders, parts, stepping, stuck
from selfcare.portal.orders import order as reading
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.outcome import DONE, RUNNING, UNKNOWN, Outcome
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payment, refunds
from tests.portal.orders.bundling import PRICES, buy, state, states
from tests.support import money, shopping
from tests.support.money import Counter, Purse
from tests.support.shopping import FAILED

FORGET_JOBS = Prepared.sql("DELETE FROM job")


class Crash(Exception):
    pass


@dataclass
class Network:
    """Does with each part what a test says by its name, and counts what really arrives there."""

    says: dict[str, Outcome | type[Crash]] = field(default_factory=dict)
    patience: timedelta = timedelta(minutes=10)
    arrived: dict[str, set[UUID]] = field(default_factory=dict)

    async def deliver(self, order: Order) -> Outcome:
        said = self.says.get(order.name, DONE)
        if isinstance(said, type):
            raise said
        if said is DONE:
            self.arrived.setdefault(order.name, set()).add(order.id)
        return said

    async def look(self, order: Order) -> Outcome:
        said = self.says.get(order.name, DONE)
        return said if isinstance(said, Outcome) else UNKNOWN


def open_shop(counter: Counter) -> tuple[Shop, Network]:
    network = Network()
    opened = Shop(counter.till, EmbeddedCharging(), dict.fromkeys(set(Kind) - {Kind.BUNDLE}, network))
    jobs.add(counter.registry, opened)
    return opened, network


async def test_each_part_is_delivered_and_earned_by_itself(counter: Counter, purse: Purse) -> None:
    shop, network = open_shop(counter)
    order = await buy(shop, counter, purse)
    assert order.state is State.DELIVERED
    await counter.work()
    assert {name: len(ids) for name, ids in network.arrived.items()} == {"roaming": 1, "data": 1, "boost": 1}
    assert (await money.charges(purse), await money.taken(purse)) == (1, 2_600)
    await shopping.check_all()
    await money.check_at_rest()


@pytest.mark.parametrize("credit", [False, True], ids=["by card", "from credit"])
async def test_exactly_what_failed_comes_back(counter: Counter, purse: Purse, credit: bool) -> None:
    shop, network = open_shop(counter)
    if credit:
        await money.give_credit(counter, purse, 2_600)
    before = await money.taken(purse)
    network.says = {"data": FAILED, "boost": FAILED}
    order = await buy(shop, counter, purse, credit=credit)
    assert order.state is State.DELIVERED
    await counter.work()
    assert await states(order) == {
        "roaming": State.DELIVERED,
        "data": State.REFUNDED,
        "boost": State.REFUNDED,
    }
    if credit:
        assert (await money.taken(purse), await money.credit(purse)) == (before, 899)
    else:
        assert (await money.taken(purse), await money.credit(purse)) == (1_701, 0)
    for _again in range(2):
        await orders.advance(shop, order.id)
        await counter.work()
    assert set(network.arrived) == {"roaming"}
    await shopping.check_all()
    await money.check_at_rest()


async def test_where_all_failed_all_comes_back(counter: Counter, purse: Purse) -> None:
    shop, network = open_shop(counter)
    network.says = dict.fromkeys(PRICES, FAILED)
    order = await buy(shop, counter, purse)
    assert order.state is State.REFUND_DUE
    await counter.work()
    assert (await state(order), await money.taken(purse)) == (State.REFUNDED, 0)
    assert order.payment_id is not None
    given = await refunds.list_refunds(await payment.load(order.payment_id))
    assert sorted(refund.amount.minor for refund in given) == sorted(PRICES.values())
    await shopping.check_all()
    await money.check_at_rest()


async def test_a_part_is_refunded_when_its_own_money_is_back(counter: Counter, purse: Purse) -> None:
    shop, network = open_shop(counter)
    network.says = {"data": FAILED, "boost": FAILED}
    order = await buy(shop, counter, purse)
    assert order.payment_id is not None
    first, _second = await refunds.list_refunds(await payment.load(order.payment_id))
    await refunds.send_now(counter.till, first.id)
    await orders.refunded(shop, order.id)
    assert await states(order) == {
        "roaming": State.DELIVERED,
        "data": State.REFUNDED,
        "boost": State.REFUND_DUE,
    }


async def test_what_nobody_can_say_of_one_part_keeps_its_money_and_leaves_the_others(
    counter: Counter, purse: Purse
) -> None:
    shop, network = open_shop(counter)
    network.says = {"data": UNKNOWN, "boost": FAILED}
    order = await buy(shop, counter, purse)
    with clock.frozen(clock.now() + timedelta(minutes=20)):
        await counter.work()
        assert await states(order) == {
            "roaming": State.DELIVERED,
            "data": State.REVIEW,
            "boost": State.REFUNDED,
        }
        assert (await state(order), await money.taken(purse)) == (State.DELIVERING, 2_201)
        await shopping.check_all()
        (lost,) = [one for one in await stuck.list_stuck(clock.now()) if one.state is State.REVIEW]
        network.says = {"data": FAILED}
        who = audit.system(customer_id=purse.customer_id)
        await stuck.give_back(shop, who, lost.id, "The network says it never came.")
        await counter.work()
    assert (await state(order), await money.taken(purse)) == (State.DELIVERED, 1_701)
    await shopping.check_all()


async def test_a_crash_between_parts_delivers_the_rest_later_and_nothing_twice(counter: Counter, purse: Purse) -> None:
    shop, network = open_shop(counter)
    network.says = {"data": Crash}
    with pytest.raises(Crash):
        await buy(shop, counter, purse)
    assert set(network.arrived) == {"roaming"}
    await shopping.check_all()
    network.says = {}
    async with transaction():
        await execute(FORGET_JOBS.bind())
    with clock.frozen(clock.now() + timedelta(minutes=11)):
        async with transaction():
            await counter.jobs.enqueue("order.sweep", key="now", payload={})
        await counter.work()
    (order,) = await reading.latest(shopping.Everything(purse), before=clock.now() + timedelta(days=1))
    assert (order.kind, order.state) == (Kind.BUNDLE, State.DELIVERED)
    assert {name: len(ids) for name, ids in network.arrived.items()} == {"roaming": 1, "data": 1, "boost": 1}
    await shopping.check_all()


async def test_the_parts_of_several_bundles_are_read_at_once(counter: Counter, purse: Purse) -> None:
    shop, _network = open_shop(counter)
    both = [(await buy(shop, counter, purse)).id for _each in range(2)]
    with counting() as count:
        found = await parts.parts_of_each(both)
    assert (count.total, len(found)) == (1, 2)
    assert found == {order_id: await parts.parts_of(order_id) for order_id in both}
    assert await parts.parts_of_each([]) == {}


async def test_a_refused_card_cancels_the_parts_too(counter: Counter, purse: Purse) -> None:
    shop, network = open_shop(counter)
    order = await buy(shop, counter, purse, Bank.NO_FUNDS)
    assert set((await states(order)).values()) == {order.state} == {State.CANCELED}
    await counter.work()
    assert network.arrived == {}
    await shopping.check_all()


async def test_money_that_comes_after_it_was_given_up_goes_back_whole(counter: Counter, purse: Purse) -> None:
    shop, network = open_shop(counter)
    order = await buy(shop, counter, purse, Bank.ASKS)
    async with transaction():
        for one in (order, *await parts.parts_of(order.id)):
            assert await stepping.move(one, {State.OPEN}, State.CANCELED)
    assert order.payment_id is not None
    ref = (await payment.load(order.payment_id)).gateway_ref
    assert ref is not None
    await counter.gateway.approve(ref, approved=True)
    await counter.work()
    assert (await state(order), await money.taken(purse), network.arrived) == (State.REFUNDED, 0, {})
    await shopping.check_all()


async def test_the_last_two_parts_to_end_at_once_end_the_bundle(counter: Counter, purse: Purse) -> None:
    shop, network = open_shop(counter)
    network.says = {"data": RUNNING, "boost": RUNNING}
    order = await buy(shop, counter, purse)
    assert order.state is State.DELIVERING
    network.says = {"boost": FAILED}
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        await counter.work()
    assert await state(order) is State.DELIVERED
    await shopping.check_all()
