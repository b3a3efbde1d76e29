"""One bundle of three parts, bought as the shop buys it."""

from __future__ import annotations

from selfcare.adapters.payments_embedded_bank import Outcome as Bank
from selfcare.db.engine import transaction
from selfcare.kernel import ids
from selfcare.kernel.money import Money
from selfcare.portal.orders import order as reading
from selfcare.portal.orders import orders, parts
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments
from selfcare.portal.pay.payments import How
from tests.support import money
from tests.support.money import Counter, Purse

PRICES = {"roaming": 1_701, "data": 500, "boost": 399}


async def buy(
    shop: Shop,
    counter: Counter,
    purse: Purse,
    bank: Bank = Bank.APPROVES,
    *,
    credit: bool = False,
    refunds_all: bool = False,
) -> Order:
    inside = [
        Wanted(kind=Kind.ADDON, name=name, price=Money(minor, "GBP"), delivers={"puts": []}, tax_permille=200)
        for name, minor in PRICES.items()
    ]
    delivers = {"services": [], "refunds_all": refunds_all}
    whole = Wanted(kind=Kind.BUNDLE, name="Travel", price=Money(2_600, "GBP"), delivers=delivers)
    card = None if credit else await money.card(counter, purse, bank)
    how = How(request_key=ids.token(), card_id=card, credit_only=credit)
    async with transaction():
        order = await orders.write(shop, purse.who, whole, how, inside)
    assert order.payment_id is not None
    await payments.submit(shop.till, order.payment_id)
    return await orders.advance(shop, order.id)


async def states(order: Order) -> dict[str, State]:
    return {part.name: part.state for part in await parts.parts_of(order.id)}


async def state(order: Order) -> State:
    return (await reading.load(order.id)).state
