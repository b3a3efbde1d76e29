"""A bundle that is all or nothing: where one part is lost, the others are taken back and all the money goes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.portal.orders import credit_notes, jobs, orders, parts, stuck
from selfcare.portal.orders import order as reading
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.outcome import DONE, NEVER_BEGAN, RUNNING, UNKNOWN, Outcome, Result
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payment, refunds
from tests.portal.orders import bundling
from tests.portal.orders.bundling import PRICES, state, states
from tests.support import money, shopping
from tests.support.money import Counter, Purse
from tests.support.shopping import FAILED

USED = Outcome(Result.FAILED, "Some of it has been used already.")
FORGET_JOBS = Prepared.sql("DELETE FROM job")
AUDITED = Prepared.sql("SELECT event FROM audit_event WHERE event IN ('addons.taken_back', 'addons.failed')")


class Crash(Exception):
    pass


Said = Outcome | type[Crash]


@dataclass
class Network:
    """Does with each part what a test says by its name, and keeps what is there now."""

    says: dict[str, Said] = field(default_factory=dict)
    looks: dict[str, Outcome] = field(default_factory=dict)
    takes_back: dict[str, Said] = field(default_factory=dict)
    patience: timedelta = timedelta(minutes=10)
    there: dict[str, UUID] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def deliver(self, order: Order) -> Outcome:
        self.asked.append(order.name)
        said = self._said(self.says, order)
        if said is DONE:
            self.there[order.name] = order.id
        return said

    async def look(self, order: Order) -> Outcome:
        return self.looks.get(order.name, UNKNOWN)

    async def take_back(self, order: Order) -> Outcome:
        said = self._said(self.takes_back, order)
        if said is DONE:
            self.there.pop(order.name, None)
        return said

    def _said(self, says: dict[str, Said], order: Order) -> Outcome:
        said = says.get(order.name, DONE)
        if isinstance(said, type):
            raise said
        return said


def open_shop(counter: Counter) -> tuple[Shop, Network]:
    network = Network()
    kinds = set(Kind) - {Kind.BUNDLE}
    opened = Shop(
        counter.till, EmbeddedCharging(), dict.fromkeys(kinds, network), undoers=dict.fromkeys(kinds, network)
    )
    jobs.add(counter.registry, opened)
    return opened, network


async def buy(shop: Shop, counter: Counter, purse: Purse, *, credit: bool = False) -> Order:
    return await bundling.buy(shop, counter, purse, credit=credit, refunds_all=True)


async def check_given_back(order: Order, purse: Purse, taken: int = 0) -> None:
    assert (await state(order), await money.taken(purse)) == (State.REFUNDED, taken)
    (note,) = await credit_notes.find([order.id, *(part.id for part in await parts.parts_of(order.id))])
    assert (note.order_id, note.total.minor) == (order.id, 2_600)
    await shopping.check_all()
    await money.check_at_rest()


async def test_where_all_arrive_all_are_delivered_and_earned_at_once(counter: Counter, purse: Purse) -> None:
    shop, network = open_shop(counter)
    network.says = {"boost": RUNNING}
    order = await buy(shop, counter, purse)
    assert set((await states(order)).values()) == {order.state} == {State.DELIVERING}
    await shopping.check_all()
    network.says = {}
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        await counter.work()
    assert set((await states(order)).values()) == {await state(order)} == {State.DELIVERED}
    assert (set(network.there), await money.taken(purse)) == (set(PRICES), 2_600)
    await shopping.check_all()
    await money.check_at_rest()


@pytest.mark.parametrize("credit", [False, True], ids=["by card", "from credit"])
async def test_what_arrived_is_taken_back_what_was_not_begun_is_not_begun_and_all_comes_back_once(
    counter: Counter, purse: Purse, credit: bool
) -> None:
    shop, network = open_shop(counter)
    if credit:
        await money.give_credit(counter, purse, 2_600)
    before = await money.taken(purse)
    network.says = {"data": FAILED}
    order = await buy(shop, counter, purse, credit=credit)
    await counter.work()
    for _again in range(2):
        await orders.advance(shop, order.id)
        await counter.work()
    assert await states(order) == {"roaming": State.CANCELED, "data": State.FAILED, "boost": State.CANCELED}
    assert (network.there, network.asked) == ({}, ["roaming", "data"])
    await check_given_back(order, purse, taken=before)
    assert await money.credit(purse) == (2_600 if credit else 0)
    assert order.payment_id is not None
    given = await refunds.list_refunds(await payment.load(order.payment_id))
    assert [refund.amount.minor for refund in given] == ([] if credit else [2_600])
    assert sorted(row["event"] for row in await fetch(AUDITED.bind())) == ["addons.failed", "addons.taken_back"]


async def test_what_nobody_knows_is_waited_for_and_taken_back_when_it_did_arrive(
    counter: Counter, purse: Purse
) -> None:
    shop, network = open_shop(counter)
    network.says = {"roaming": UNKNOWN, "data": FAILED}
    order = await buy(shop, counter, purse)
    await counter.work()
    assert await states(order) == {"roaming": State.DELIVERING, "data": State.FAILED, "boost": State.CANCELED}
    assert (await state(order), await money.taken(purse)) == (State.DELIVERING, 2_600)
    await shopping.check_all()
    network.there, network.looks = {"roaming": order.id}, {"roaming": DONE}
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        await counter.work()
    assert (network.there, network.asked) == ({}, ["roaming", "data"])
    await check_given_back(order, purse)


async def test_no_trace_of_a_part_is_believed_when_no_question_can_be_on_its_way_any_more(
    counter: Counter, purse: Purse
) -> None:
    shop, network = open_shop(counter)
    network.says, network.looks = {"roaming": UNKNOWN, "data": FAILED}, {"roaming": NEVER_BEGAN}
    order = await buy(shop, counter, purse)
    with clock.frozen(clock.now() + timedelta(seconds=30)):
        await counter.work()
    assert (await states(order))["roaming"] is State.DELIVERING
    with clock.frozen(clock.now() + timedelta(minutes=3)):
        await counter.work()
    assert (await states(order))["roaming"] is State.FAILED
    await check_given_back(order, purse)


@pytest.mark.parametrize("again", [True, False], ids=["taken back later", "left with the customer"])
async def test_what_cannot_be_taken_back_waits_for_staff_and_keeps_the_money_until_then(
    counter: Counter, purse: Purse, again: bool
) -> None:
    shop, network = open_shop(counter)
    network.says, network.takes_back = {"boost": FAILED}, {"data": USED}
    order = await buy(shop, counter, purse)
    await counter.work()
    assert await states(order) == {"roaming": State.CANCELED, "data": State.REVIEW, "boost": State.FAILED}
    assert (await state(order), await money.taken(purse)) == (State.DELIVERING, 2_600)
    await shopping.check_all()
    (left,) = await stuck.list_stuck(clock.now())
    assert left.problem == "Cannot be taken back. Some of it has been used already."
    assert (await orders.advance(shop, left.id)).state is State.REVIEW
    await orders.end_heard(shop, left.id)
    who, why = audit.system(customer_id=purse.customer_id), "The customer used it up."
    if again:
        network.takes_back = {}
        assert (await stuck.try_again(shop, who, left.id, why)).undo_tries == 1
    else:
        await stuck.give_back(shop, who, left.id, why)
    await counter.work()
    assert set(network.there) == (set() if again else {"data"})
    await check_given_back(order, purse)


@pytest.mark.parametrize("says", [RUNNING, UNKNOWN], ids=["running", "unknown"])
async def test_a_taking_back_without_an_end_is_looked_at_by_a_person(
    counter: Counter, purse: Purse, says: Outcome
) -> None:
    shop, network = open_shop(counter)
    network.says, network.takes_back = {"data": FAILED}, {"roaming": says}
    order = await buy(shop, counter, purse)
    await counter.work()
    assert (await states(order))["roaming"] is State.DELIVERING
    with clock.frozen(clock.now() + timedelta(minutes=20)):
        await counter.work()
    assert ((await states(order))["roaming"], await money.taken(purse)) == (State.REVIEW, 2_600)
    await shopping.check_all()


@pytest.mark.parametrize("killed_in", ["data", "roaming"], ids=["while it is delivered", "while it is taken back"])
async def test_whenever_it_is_killed_it_goes_on_by_itself(counter: Counter, purse: Purse, killed_in: str) -> None:
    shop, network = open_shop(counter)
    network.says = {"data": Crash} if killed_in == "data" else {"data": FAILED}
    network.takes_back = {"roaming": Crash}
    with pytest.raises(Crash):
        await buy(shop, counter, purse)
    assert set(network.there) == {"roaming"}
    await shopping.check_all()
    network.says, network.takes_back = {"data": FAILED}, {}
    async with transaction():
        await execute(FORGET_JOBS.bind())
    with clock.frozen(clock.now() + timedelta(minutes=11)):
        async with transaction():
            await counter.jobs.enqueue("order.sweep", key="now", payload={})
        await counter.work()
    (order,) = await reading.latest(shopping.Everything(purse), before=clock.now() + timedelta(days=1))
    assert network.there == {}
    await check_given_back(order, purse)
