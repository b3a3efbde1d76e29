"""Buying by a person: one purchase of a customer after the other, and nothing while the meter is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Self

from selfcare.db.engine import transaction
from selfcare.formats import money
from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Conflict, Unavailable
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.cards import cards
from selfcare.portal.orders import orders
from selfcare.portal.orders.order import Order, find_by_request_key
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments
from selfcare.portal.pay.payments import How
from selfcare.ports.charging import Charging


class PriceChanged(Conflict):
    """Nothing was charged: the page is shown again with what it costs now."""

    @classmethod
    def to(cls, price: Money) -> Self:
        return cls(_("The price has changed to %(price)s meanwhile. Nothing was charged.") % {"price": money(price)})


async def serve(
    shop: Shop, identity: Identity, how: How, write: Callable[[], Awaitable[Order]], *, metered: bool = True
) -> Order:
    """As far as it goes at once. `write` looks whether it may be bought now and writes the order, in one transaction.
    `metered` False where the meter was asked already, or has no part in it.

    The same request key again: the same order again. Raises Unavailable, TooOften, and what `write` raises; then
    nothing was taken.
    """
    customer_id = identity.customer.customer_id
    if (known := await find_by_request_key(customer_id, how.request_key)) is None:
        if metered:
            await must_answer(shop.charging)
        await payments.claim_try(identity)
        async with transaction():
            # Of two at once the second finds the first: what may be had once is sold once, and limits hold.
            await cards.hold(customer_id)
            known = await find_by_request_key(customer_id, how.request_key)
            if known is None:
                known = await write()
    if known.payment_id is not None:
        await payments.submit(shop.till, known.payment_id)
    return await orders.advance(shop, known.id)


async def must_answer(charging: Charging) -> None:
    """Raises Unavailable while the meter is away: nothing could be added, so nothing is charged."""
    if not (await charging.health()).ok:
        raise Unavailable(_("We cannot add anything right now, so nothing was charged. Please try again soon."), 60)
