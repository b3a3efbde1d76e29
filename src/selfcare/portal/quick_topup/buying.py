"""Buying for a number without signing in: any top-up that is on sale for it, or days for a line that ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity import limits
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.money import Money, parse_amount
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _, ngettext
from selfcare.portal.cards import cards
from selfcare.portal.orders import counter, orders
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.order import Kind, Order, load
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments
from selfcare.portal.pay.guests import strangers
from selfcare.portal.pay.payments import How
from selfcare.portal.quick_topup import visits
from selfcare.portal.quick_topup.visits import Door
from selfcare.portal.services import extending
from selfcare.portal.topup import buying as topups
from selfcare.portal.topup import queries
from selfcare.portal.topup.queries import Offer
from selfcare.settings import Settings

DAYS = "days"
MOST_DAYS = 30
BY_SERVICE = limits.Limit("quick_topup.service", 5, timedelta(days=1))


@dataclass(frozen=True, slots=True)
class DayPrice:
    """Of one day, with the tax in it."""

    price: Money
    tax_permille: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        percent = dict(code.split("=", 1) for code in settings.tax_codes).get("standard", "0")
        price = settings.day_price.rstrip("0").rstrip(".") if "." in settings.day_price else settings.day_price
        return cls(parse_amount(price, settings.currency), int(Decimal(percent) * 10))


@dataclass(frozen=True, slots=True)
class Shelf:
    """`ends_at` where days can be put in. Nothing else of the line."""

    offers: list[Offer]
    ends_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """What was chosen, at the price it has now. `key` is `days` or the id of a product."""

    key: str
    name: str
    price: Money
    tax_permille: int
    version: int
    ends_at: datetime | None
    puts: tuple[Mapping[str, Any], ...] = ()
    days: int | None = None
    wanted: Wanted

    @property
    def tax(self) -> Money:
        return self.price.tax_inside(self.tax_permille)


@dataclass(frozen=True, slots=True)
class Asked:
    """What stood on the page. `amount` for credit of one's own choice, `days` for days."""

    key: str
    amount: Money | None = None
    days: int | None = None


async def shelf(door: Door) -> Shelf:
    found = await queries.offers_for(door.scope, door.service_id)
    refused = found.target.refusal is not None
    running = found.target.status.is_running
    offers = [] if refused else [offer for offer in found.offers if running or offer.puts_money]
    # What is given away is for whoever signs in.
    offers = [offer for offer in offers if offer.price or offer.custom]
    return Shelf(offers, await extending.end_of(door.service_id))


async def pick(door: Door, asked: Asked, day: DayPrice) -> Pick:
    """Raises Rejected beside a field, and Conflict in words that say nothing of the line."""
    if asked.key == DAYS:
        return await _days(door, asked.days, day)
    try:
        product_id = UUID(asked.key)
    except ValueError:
        raise Rejected(_("Choose what to add."), "product") from None
    try:
        quote = await queries.quote(door.scope, door.service_id, product_id, asked.amount)
    except Conflict:
        raise _cannot_be() from None
    if not quote.price:
        raise _cannot_be()
    wanted = topups.wanted(quote)
    return Pick(
        key=str(product_id),
        name=quote.name,
        price=quote.price,
        tax_permille=quote.offer.tax_permille,
        version=quote.offer.version,
        ends_at=quote.ends_at(clock.now()),
        puts=tuple(wanted.delivers["puts"]),
        wanted=wanted,
    )


def _cannot_be() -> Conflict:
    """The same words for every reason."""
    return Conflict(_("This cannot be added to this number now. Nothing was charged."))


async def _days(door: Door, days: int | None, day: DayPrice) -> Pick:
    if days is None or not 1 <= days <= MOST_DAYS:
        raise Rejected(_("Choose from 1 to %(most)d days.") % {"most": MOST_DAYS}, DAYS)
    ends_at = await extending.end_of(door.service_id)
    if ends_at is None or day.price.currency != door.scope.currency:
        raise _cannot_be()
    price = Money(day.price.minor * days, day.price.currency)
    name = ngettext("%(n)d more day", "%(n)d more days", days) % {"n": days}
    return Pick(
        key=DAYS,
        name=name,
        price=price,
        tax_permille=day.tax_permille,
        version=0,
        ends_at=ends_at + timedelta(days=days),
        days=days,
        wanted=Wanted(
            kind=Kind.TOPUP,
            name=name,
            price=price,
            tax_permille=day.tax_permille,
            service_id=door.service_id,
            delivers={DAYS: days},
        ),
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """What stood on the button, the version it had, where the receipt goes and who stands on it."""

    asked: Asked
    version: int
    price: Money
    email: str
    payer: str


async def buy(shop: Shop, door: Door, origin: Origin, shown: Shown, day: DayPrice, *, request_key: str) -> Order:
    """As far as it goes at once. However often it is pressed for one visit: one order.

    Raises Conflict (PriceChanged), Rejected, Unavailable or TooOften; then nothing was taken.
    """
    await counter.must_answer(shop.charging)
    await payments.claim_try(audit.visitor(origin))
    async with transaction():
        await cards.hold(door.scope.customer_id)
        known = await visits.hold(door)
        order = await load(known) if known is not None else await _write(shop, door, origin, shown, day, request_key)
    if order.payment_id is not None:
        await payments.submit(shop.till, order.payment_id)
    return await orders.advance(shop, order.id)


async def _write(shop: Shop, door: Door, origin: Origin, shown: Shown, day: DayPrice, request_key: str) -> Order:
    now_sold = await pick(door, shown.asked, day)
    if (now_sold.version, now_sold.price) != (shown.version, shown.price):
        raise PriceChanged.to(now_sold.price)
    if not await limits.allows_here(BY_SERVICE, str(door.service_id)):
        raise Conflict(_("This number was topped up here often today. Try again tomorrow, or sign in."))
    # The owner reads what was put in; from where it was paid stands in our own chain only.
    who = audit.system(customer_id=door.scope.customer_id)
    how = How(request_key=request_key, use_credit=False, guest_link_id=door.visit_id)
    order = await orders.write(shop, who, now_sold.wanted, how)
    assert order.payment_id is not None
    await strangers.send_mail_to(order.payment_id, shown.email, shown.payer)
    await visits.note_order(door, order.id)
    await audit.record(audit.visitor(origin), Event.QUICK_TOPUP_ORDERED, about=order.id)
    return order
