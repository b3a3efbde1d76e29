"""Moving to another plan at once: at the price that was shown, one change of a service at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from selfcare.formats import money
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.orders import counter, orders
from selfcare.portal.orders.order import Kind, Order
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.services.plan import allowances
from selfcare.portal.services.plan.queries import Quote, quote
from selfcare.ports.charging import Bucket


@dataclass(frozen=True, slots=True)
class Shown:
    """What stood on the page when the button was pressed: what is due today, and what each period costs then."""

    product_id: UUID
    version: int
    due: Money
    price: Money
    day: date | None


class QuoteChanged(Conflict):
    """Nothing was charged or booked: the page is shown again as it is now."""


async def change(shop: Shop, identity: Identity, service_id: UUID, shown: Shown, how: How) -> Order:
    """As far as it goes at once. The same request key again: the same order again.

    Raises NotFound, Conflict (QuoteChanged), Rejected, Unavailable or TooOften; then nothing was taken.
    """
    await counter.must_answer(shop.charging)
    held = (await shop.charging.balances(identity.customer, [service_id])).of(service_id)

    async def write() -> Order:
        now_so = await check(shop, identity, service_id, shown)
        if not now_so.is_now:
            raise Conflict(_("A cheaper plan begins when the period ends."))
        return await orders.write(shop, identity, _wanted(now_so, held), how)

    return await counter.serve(shop, identity, how, write, metered=False)


async def check(shop: Shop, identity: Identity, service_id: UUID, shown: Shown) -> Quote:
    """As it is now, where that is what was shown. Raises what `quote` raises, and QuoteChanged."""
    now_so = await quote(identity.customer, service_id, shown.product_id, least=least(shop, identity))
    plan = now_so.plan
    if (plan.version, plan.price, now_so.due) != (shown.version, shown.price, shown.due):
        words = _("The price has changed meanwhile: %(due)s today, then %(price)s. Nothing was charged.")
        raise QuoteChanged(words % {"due": money(now_so.due), "price": money(plan.price)})
    if now_so.day != shown.day:
        raise QuoteChanged(_("A new day has begun since you looked. Nothing was charged; please look again."))
    return now_so


def least(shop: Shop, identity: Identity) -> Money:
    """What a card can pay at the least."""
    return shop.till.gateway.limits(identity.customer.currency).least


def wanted(what: Quote, *, change_id: UUID | None = None, puts: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    """What an order of a plan `delivers`: see `orders.plans`."""
    plan, was = what.plan, what.current.plan
    return {
        "plan": {
            "change_id": str(change_id) if change_id else None,
            "product_id": str(plan.id),
            "version": plan.version,
            "name": plan.name,
            "price_minor": plan.price.minor,
            "term_ends_on": what.term_ends_on.isoformat() if what.term_ends_on else None,
        },
        "was": {"product_id": str(was.id), "name": was.name},
        "play": plan.play,
        "puts": list(puts),
    }


def order_name(plan: str, was: str) -> str:
    return _("%(plan)s instead of %(was)s") % {"plan": plan, "was": was}


def _wanted(what: Quote, held: Sequence[Bucket]) -> Wanted:
    current, plan = what.current, what.plan
    more = allowances.puts(
        current.plan.grants,
        plan.grants,
        held,
        until=current.period.renews_at,
        currency=current.price.currency,
        now=clock.now(),
    )
    return Wanted(
        kind=Kind.PLAN,
        name=order_name(plan.name, current.plan.name),
        price=what.due,
        tax_permille=plan.tax_permille,
        service_id=current.id,
        product_id=plan.id,
        product_version=plan.version,
        delivers=wanted(what, puts=more),
    )
