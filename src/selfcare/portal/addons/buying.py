"""Buying an add-on: at the price that was shown, and of what is not repeatable only one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.addons.queries import LATEST_START, Quote, quote
from selfcare.portal.orders import counter, orders
from selfcare.portal.orders.allowances import frozen
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.order import Kind, Order
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How


@dataclass(frozen=True, slots=True)
class Shown:
    """What stood on the page when the button was pressed, and what was said yes to."""

    product_id: UUID
    version: int
    price: Money
    start: datetime | None = None
    replace: bool = False


async def buy(shop: Shop, identity: Identity, service_id: UUID, shown: Shown, how: How) -> Order:
    """As far as it goes at once. The same request key again: the same order again.

    Raises NotFound, Conflict (PriceChanged), Rejected, Unavailable or TooOften; then nothing was taken.
    """
    return await counter.serve(shop, identity, how, lambda: _write(shop, identity, service_id, shown, how))


def check_start(start: datetime | None) -> None:
    """Raises Rejected for a start that is past, or too far away."""
    now = clock.now()
    if start is not None and not now <= start <= now + LATEST_START:
        raise Rejected(_("Choose a start within the next 30 days."), "on")


async def _write(shop: Shop, identity: Identity, service_id: UUID, shown: Shown, how: How) -> Order:
    now_sold = await quote(identity.customer, service_id, shown.product_id, start=shown.start, fixed=True)
    if (now_sold.offer.version, now_sold.price) != (shown.version, shown.price):
        raise PriceChanged.to(now_sold.price)
    if shown.start is not None and not now_sold.offer.is_boost:
        raise Rejected(_("This add-on starts at once."), "on")
    check_start(shown.start)
    if now_sold.replaces and not shown.replace:
        raise Rejected(_("Say yes to the replacement, or choose another add-on."), "replace")
    return await orders.write(shop, identity, wanted(now_sold), how)


def wanted(sold: Quote) -> Wanted:
    """As it is ordered, with all that is promised frozen in it."""
    offer = sold.offer
    return Wanted(
        kind=Kind.ADDON,
        name=offer.name,
        price=sold.price,
        tax_permille=offer.tax_permille,
        service_id=sold.target.id,
        product_id=offer.id,
        product_version=offer.version,
        delivers={
            "addon": {
                "product_id": str(offer.id),
                "name": offer.name,
                "icon": offer.icon,
                "price_minor": offer.price.minor if offer.recurs else 0,
                "tax_permille": offer.tax_permille,
                "recurring": offer.recurs,
                "grants": list(offer.grants) if offer.recurs else [],
                "starts_at": sold.starts_at.isoformat(),
                "paid_until": _text(sold.next_charge_at),
                "term_ends_at": _text(sold.term_ends_at),
                "ends_at": _text(sold.ends_at),
                "waits_for": offer.start.waits_for,
                "lasts_days": offer.lasts_days if offer.start.waits_for else None,
            },
            "replaces": [str(held.id) for held in sold.replaces],
            "replaced": [held.name for held in sold.replaces],
            "play": offer.play,
            "puts": _puts(sold),
        },
    )


def _puts(sold: Quote) -> list[dict[str, Any]]:
    """What the first month of it puts in lasts until the next one begins."""
    puts = frozen(sold.offer.grants, sold.offer.price.currency, now=sold.starts_at, start=sold.offer.start)
    if sold.next_charge_at is None:
        return puts
    return [put | {"expires_at": (sold.next_charge_at - timedelta(seconds=1)).isoformat()} for put in puts]


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
