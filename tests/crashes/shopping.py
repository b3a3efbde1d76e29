"""The part of the harness that buys: its buttons, and a meter and a network that fail as the order says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.adapters.provisioning_embedded import EmbeddedProvisioning
from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict
from selfcare.kernel.money import Money
from selfcare.portal.orders import orders, stuck
from selfcare.portal.orders.order import Kind, Order, State, find_by_request_key, load
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments
from selfcare.portal.pay.payments import How
from selfcare.portal.services.plan import scheduling
from selfcare.ports.charging import Delivery
from selfcare.ports.failures import Declined, Unknown, Unreachable
from selfcare.ports.provisioning import DONE, FAILED, Action, Progress, Work

PRICE_MINOR = 600
# What the meter does, and the network: adds; says no for good; adds and loses the answer; loses the question; is away
# at first; answers nothing that could be believed, for ever. The network alone: begins, and then cannot do it.
ADDS, REFUSES, ANSWER_LOST, QUESTION_LOST, AWAY, SILENT = "adds", "refuses", "answer", "question", "away", "silent"
BREAKS = "breaks"


class Meter(EmbeddedCharging):
    """The embedded one, with a step before and after each question, and the failures."""

    def __init__(self, step: Callable[[str], None]) -> None:
        super().__init__()
        self._step = step
        self._asked: Counter[UUID] = Counter()

    async def credit(self, delivery: Delivery) -> None:
        self._step("before the meter is asked by")
        self._asked[delivery.order_id] += 1
        how, is_first = delivery.puts[0].label, self._asked[delivery.order_id] == 1
        if how == REFUSES:
            raise Declined("The network knows no such service.")
        if how == AWAY and is_first:
            raise Unreachable("not there")
        if how == SILENT or (how == QUESTION_LOST and is_first):
            raise Unknown("no answer")
        await super().credit(delivery)
        self._step("after the meter answered")
        if how == ANSWER_LOST:
            raise Unknown("no answer")

    async def was_applied(self, delivery: Delivery) -> bool:
        self._step("before the meter is asked whether by")
        return await super().was_applied(delivery)

    async def take_back(self, delivery: Delivery) -> None:
        """Away at first, or its answer is lost at first, where adding behaves so."""
        self._step("before the meter is asked to take back by")
        self._asked[delivery.order_id] += 1
        how, is_second = delivery.puts[0].label, self._asked[delivery.order_id] == 2
        if how == AWAY and is_second:
            raise Unreachable("not there")
        await super().take_back(delivery)
        self._step("after the meter took back")
        if how == ANSWER_LOST and is_second:
            raise Unknown("no answer")


class Network(EmbeddedProvisioning):
    """The embedded one, likewise. Its jobs are called by what it does with them, so every process knows."""

    def __init__(self, step: Callable[[str], None]) -> None:
        self._step = step
        self._asked: Counter[UUID] = Counter()

    async def start(self, work: Work) -> Progress:
        self._step("before the network is asked by")
        self._asked[work.id] += 1
        is_first = self._asked[work.id] == 1
        how = _behaves(work.what)
        if how == REFUSES:
            raise Declined("The network has no such thing.")
        if how == AWAY and is_first:
            raise Unreachable("not there")
        if how == SILENT or (how == QUESTION_LOST and is_first):
            raise Unknown("no answer")
        progress = await super().start(work)
        self._step("after the network answered")
        if how == ANSWER_LOST and (is_first or work.action is not Action.REMOVE):
            raise Unknown("no answer")
        return progress

    async def ask(self, job_id: UUID) -> Progress | None:
        self._step("before the network is asked how far it is by")
        progress, job = await super().ask(job_id), await fetch_one(JOB.bind(id=job_id))
        is_broken = (
            job is not None and _behaves(job["what"]) == BREAKS and progress is not None and progress.status == DONE
        )
        return Progress(FAILED, 1, 3) if is_broken else progress


def _behaves(what: str) -> str:
    """Of a setting it is the value."""
    return what.rpartition(": ")[2]


JOB = Prepared.sql("SELECT what FROM provisioning_job WHERE id = :id")
SOLD_AS = Prepared.sql("SELECT product_id FROM service WHERE id = :id")


async def buy(shop: Shop, asked: dict[str, Any]) -> Any:
    """The buy button: of a top-up by what the meter does, an add-on, a plan or a setting by what the network does, a
    bundle of both."""
    who = audit.system(customer_id=UUID(asked["customer"]), user_id=UUID(asked["user"]))
    how = How(
        request_key=asked["key"],
        card_id=UUID(asked["card"]) if asked.get("card") else None,
        use_credit=bool(asked.get("use_credit")),
    )
    if asked.get("parts"):
        order = await _buy_bundle(shop, who, asked, how)
    else:
        order = await orders.buy(shop, who, await _asked_for(asked), how)
    return {"order": str(order.id), "payment": str(order.payment_id), "state": order.state}


async def _buy_bundle(shop: Shop, who: audit.Who, asked: dict[str, Any], how: How) -> Order:
    parts = [await _wanted(asked["service"], meter, network) for meter, network in asked["parts"]]
    whole = Wanted(
        kind=Kind.BUNDLE,
        name="Several in one",
        price=Money(PRICE_MINOR * len(parts), "GBP"),
        delivers={"services": [asked["service"]], "refunds_all": bool(asked.get("all"))},
    )
    order = await find_by_request_key(UUID(asked["customer"]), how.request_key)
    if order is None:
        async with transaction():
            order = await orders.write(shop, who, whole, how, parts)
    assert order.payment_id is not None
    await payments.submit(shop.till, order.payment_id)
    return await orders.advance(shop, order.id)


async def _asked_for(asked: dict[str, Any]) -> Wanted:
    service, meter, network = asked["service"], asked["meter"], asked.get("network")
    if asked.get("plan"):
        return await _plan(service, meter, network or ADDS, asked["plan"])
    if asked.get("setting"):
        return await _setting(service, network or ADDS, asked["setting"])
    return await _wanted(service, meter, network)


async def _plan(service: str, meter: str, network: str, to: str) -> Wanted:
    """From whatever plan it is on to that one."""
    (sold,) = await fetch(SOLD_AS.bind(id=UUID(service)))
    ends = (clock.now() + timedelta(days=20)).isoformat()
    plan = {"change_id": None, "product_id": to, "version": 1, "name": network, "price_minor": 2_000}
    was = {"product_id": str(sold["product_id"]), "name": "Lark 20"}
    puts = [_put(meter) | {"origin": "plan", "expires_at": ends}]
    return Wanted(
        kind=Kind.PLAN,
        name="Another plan",
        price=Money(PRICE_MINOR, "GBP"),
        tax_permille=200,
        service_id=UUID(service),
        product_id=UUID(to),
        product_version=1,
        delivers={"plan": plan | {"term_ends_on": None}, "was": was, "play": None, "puts": puts},
    )


async def _setting(service: str, network: str, label: str) -> Wanted:
    (sold,) = await fetch(SOLD_AS.bind(id=UUID(service)))
    setting = {"key": "number_shown", "label": label, "value": "no", "words": "Hidden", "was": "Shown"}
    return Wanted(
        kind=Kind.CHANGE,
        name=network,
        price=Money(PRICE_MINOR, "GBP"),
        tax_permille=200,
        service_id=UUID(service),
        product_id=sold["product_id"],
        product_version=1,
        delivers={"set": setting, "play": None},
    )


def _put(meter: str) -> dict[str, Any]:
    put = {"kind": "data", "amount": 5 * 10**9, "label": meter, "origin": "topup", "mode": "add", "scope": "any"}
    return put | {"consume_order": 2, "expires_at": None, "currency": None, "counts_mms": False, "blocker": False}


async def _wanted(service: str, meter: str, network: str | None) -> Wanted:
    delivers: dict[str, Any] = {"puts": [_put(meter)]}
    if network:
        delivers |= await _addon(UUID(service))
    return Wanted(
        kind=Kind.ADDON if network else Kind.TOPUP,
        name=network or "5 GB extra data",
        price=Money(PRICE_MINOR, "GBP"),
        tax_permille=200,
        service_id=UUID(service),
        delivers=delivers,
    )


async def _addon(service_id: UUID) -> dict[str, Any]:
    (sold,) = await fetch(SOLD_AS.bind(id=service_id))
    addon = {"product_id": str(sold["product_id"]), "name": "Roaming", "icon": "globe", "price_minor": 0}
    addon |= {"tax_permille": 200, "recurring": False, "grants": [], "starts_at": clock.now().isoformat()}
    addon |= dict.fromkeys(("paid_until", "term_ends_at", "ends_at"))
    return {"addon": addon, "replaces": [], "replaced": [], "play": None}


async def follow(shop: Shop, asked: dict[str, Any]) -> Any:
    """The page of the order, and its reloads."""
    order = await load(UUID(asked["order"]))
    if order.state is State.OPEN and order.payment_id is not None:
        await payments.look(shop.till, order.payment_id)
    return {"state": (await orders.advance(shop, order.id)).state}


async def sweep(shop: Shop, _asked: dict[str, Any]) -> Any:
    """What should have gone on by itself and did not."""
    for order_id in await orders.lost(timedelta(0)):
        await orders.advance(shop, order_id)
    await scheduling.carry_out_due(shop, clock.now())
    return {}


async def end(shop: Shop, asked: dict[str, Any]) -> Any:
    """Staff give the money back, where nobody could say what became of it; what is to be taken back they try again."""
    who, order = audit.system(customer_id=UUID(asked["customer"])), await load(UUID(asked["order"]))
    try:
        if order.undo_at is not None and order.parent_id is not None:
            return {"state": (await stuck.try_again(shop, who, order.id, "It is to be taken back")).state}
        return {"state": (await stuck.give_back(shop, who, UUID(asked["order"]), "Nobody knows what it is")).state}
    except Conflict as refused:
        return {"refused": refused.message}
