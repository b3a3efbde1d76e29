"""Buying a top-up: at the price that was shown, within the limit of a day, and never while the meter is away."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from selfcare.db.prepared import Prepared, execute
from selfcare.formats import money
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.orders import counter, orders
from selfcare.portal.orders.allowances import frozen
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.order import Kind, Order
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.topup.queries import Quote, quote

_BOUGHT = Prepared.sql(
    """
    SELECT COALESCE(SUM(price_minor), 0) AS spent FROM purchase_order
     WHERE customer_id = :customer_id AND kind = 'topup' AND currency = :currency AND created_at >= :since
       AND state NOT IN ('canceled', 'failed', 'refund_due', 'refunded')
       AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = payment_id AND p.guest_link_id IS NOT NULL)
    """,
    types={"spent": int},
)


@dataclass(frozen=True, slots=True)
class Shown:
    """What stood on the page when the button was pressed."""

    product_id: UUID
    version: int
    price: Money


async def buy(shop: Shop, identity: Identity, service_id: UUID, shown: Shown, how: How) -> Order:
    """As far as it goes at once. The same request key again: the same order again.

    Raises NotFound, Conflict (PriceChanged), Rejected, Unavailable or TooOften; then nothing was taken.
    """
    return await counter.serve(shop, identity, how, lambda: _write(shop, identity, service_id, shown, how))


async def _write(shop: Shop, identity: Identity, service_id: UUID, shown: Shown, how: How) -> Order:
    amount = shown.price
    now_sold = await quote(identity.customer, service_id, shown.product_id, amount)
    if (now_sold.offer.version, now_sold.price) != (shown.version, shown.price):
        raise PriceChanged.to(now_sold.price)
    if how.credit_only and now_sold.offer.puts_money:
        raise Rejected(_("Credit cannot be bought with credit. Choose a card."), "card")
    await check_day(shop, identity, now_sold.price)
    return await orders.write(shop, identity, wanted(now_sold), how)


def wanted(now_sold: Quote) -> Wanted:
    """As it is ordered, with what it puts in frozen."""
    offer = now_sold.offer
    amount = now_sold.price if offer.custom else None
    return Wanted(
        kind=Kind.TOPUP,
        name=now_sold.name,
        price=now_sold.price,
        tax_permille=offer.tax_permille,
        service_id=now_sold.target.id,
        product_id=offer.id,
        product_version=offer.version,
        delivers={"puts": frozen(offer.grants, now_sold.price.currency, now=clock.now(), amount=amount)},
    )


async def check_day(shop: Shop, identity: Identity, price: Money) -> None:
    scope = identity.customer
    since = clock.midnight(clock.today(scope.zone), scope.zone)
    asked = _BOUGHT.bind(customer_id=scope.customer_id, currency=price.currency, since=since)
    spent = Money((await execute(asked))[0]["spent"], price.currency)
    most = Money.whole(shop.topup_day_limit, price.currency)
    if spent + price > most:
        left = max(most - spent, Money.zero(price.currency))
        words = _("Top-ups are limited to %(most)s a day. Today %(left)s can still be bought.")
        raise Rejected(words % {"most": money(most), "left": money(left)}, "amount")
