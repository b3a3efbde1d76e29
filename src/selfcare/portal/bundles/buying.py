"""Buying a bundle: at the price that was shown, each part onto the service that was chosen for it, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from selfcare.identity.identity import CustomerScope, Identity
from selfcare.identity.rights import Right
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.addons import buying as addons
from selfcare.portal.addons import queries as addon_offers
from selfcare.portal.bundles.queries import Bundle, Part, get
from selfcare.portal.orders import counter, orders
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.order import Kind, Order
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.topup import buying as topups
from selfcare.portal.topup import queries as topup_offers

TRIED = 10


@dataclass(frozen=True, slots=True)
class Shown:
    """What stood on the page when the button was pressed. `chosen`: a service for each part, by its place."""

    bundle_id: UUID
    mark: str
    price: Money
    chosen: Mapping[int, UUID]


async def buy(shop: Shop, identity: Identity, shown: Shown, how: How) -> Order:
    """As far as it goes at once. The same request key again: the same order again.

    Raises NotFound, Conflict (PriceChanged), Rejected by the part that cannot be, Unavailable or TooOften; then
    nothing was taken.
    """
    return await counter.serve(shop, identity, how, lambda: _write(shop, identity, shown, how))


def may_buy(identity: Identity, bundle: Bundle) -> bool:
    """Support buys only what the grant says, also inside a bundle."""
    if not identity.can(Right.BUY_ADDON) or not identity.can(Right.BUY_TOPUP):
        return False
    needed = {"addon" if part.is_addon else "topup" for part in bundle.parts}
    return identity.grant is None or needed <= set(identity.grant.allowed)


async def first_fit(scope: CustomerScope, bundle: Bundle) -> dict[int, UUID]:
    """For each part the first service that can take it now; where none can, the first of its kind."""
    chosen: dict[int, UUID] = {}
    for part in bundle.parts:
        taken = {chosen[other.place] for other in bundle.parts[: part.place] if other.product_id == part.product_id}
        chosen[part.place] = part.lines[0].id
        for line in [line for line in part.lines if line.id not in taken][:TRIED]:
            try:
                await _wanted(scope, bundle, part, line.id)
            except (Conflict, Rejected):
                continue
            chosen[part.place] = line.id
            break
    return chosen


def field(part: Part) -> str:
    """Of the form."""
    return f"service_{part.place}"


async def _write(shop: Shop, identity: Identity, shown: Shown, how: How) -> Order:
    scope = identity.customer
    bundle = await get(scope, shown.bundle_id)
    if (bundle.mark, bundle.price) != (shown.mark, shown.price):
        raise PriceChanged.to(bundle.price)
    parts = []
    for part in bundle.parts:
        service_id = shown.chosen[part.place]
        if service_id not in {line.id for line in part.lines}:
            raise NotFound
        try:
            parts.append(await _wanted(scope, bundle, part, service_id))
        except Conflict as problem:
            raise Rejected(problem.message, field(part)) from None
        if any((one.product_id, one.service_id) == (part.product_id, service_id) for one in parts[:-1]):
            raise Rejected(_("This goes onto two services: choose another one."), field(part))
    if how.credit_only and any(put["kind"] == "money" for part in parts for put in part.delivers["puts"]):
        raise Rejected(_("Credit cannot be bought with credit. Choose a card."), "card")
    if topped := [part.price for part in bundle.parts if not part.is_addon]:
        await topups.check_day(shop, identity, sum(topped, Money.zero(bundle.price.currency)))
    whole = Wanted(
        kind=Kind.BUNDLE,
        name=bundle.name,
        price=bundle.price,
        product_id=bundle.id,
        product_version=bundle.version,
        delivers={"services": sorted({str(part.service_id) for part in parts}), "refunds_all": bundle.refunds_all},
    )
    return await orders.write(shop, identity, whole, how, parts)


async def _wanted(scope: CustomerScope, bundle: Bundle, part: Part, service_id: UUID) -> Wanted:
    """The part as it would be bought alone, at its share of the bundle's price. Raises Conflict for what cannot be."""
    if part.is_addon:
        sold = await addon_offers.quote(scope, service_id, part.product_id, fixed=True)
        if sold.replaces:
            names = ", ".join(held.name for held in sold.replaces)
            words = _(
                "%(names)s is on this service and cannot stand beside it: choose another one, or remove it first."
            )
            raise Conflict(words % {"names": names})
        alone = addons.wanted(sold)
        addon = alone.delivers["addon"]
        month = part.price.minor if addon["recurring"] else 0
        delivers = {**alone.delivers, "addon": {**addon, "price_minor": month}}
    else:
        alone = topups.wanted(await topup_offers.quote(scope, service_id, part.product_id, None))
        delivers = {**alone.delivers}
    name = _("%(part)s (%(bundle)s)") % {"part": part.name, "bundle": bundle.name}
    return replace(alone, name=name, price=part.price, delivers={**delivers, "part": part.name})
