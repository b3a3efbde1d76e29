"""What processes of their own do: one person moves, adds to or ends one line, several times at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

from selfcare.app import build_ports, configure
from selfcare.db.prepared import fetch
from selfcare.kernel import ids
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.portal.addons import buying
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.services import cancelling
from selfcare.portal.services.plan import changing, scheduling
from selfcare.portal.services.plan.changing import Shown
from selfcare.portal.services.plan.queries import quote
from tests.portal.addons.racing import OWNER
from tests.portal.topup.racing import identity
from tests.support.databases import opened
from tests.support.site import settings_for

CHANGE, SCHEDULE, CANCEL, ADD = "changed", "scheduled", "cancelled", "added"


async def race(url: str, service_id: UUID, what: str, shown: Shown, times: int) -> list[str]:
    """How each of so many tries ended: what was done, or "refused"."""
    settings = settings_for(url)
    configure(settings)
    async with opened(url):
        shop = Shop.of(build_ports(settings), settings)
        (owner,) = await fetch(OWNER.bind(id=service_id))
        who = identity(owner["user_id"], owner["customer_id"])

        async def one() -> str:
            key = ids.token()
            how = How(request_key=key, card_id=owner["card_id"], use_credit=False)
            try:
                if what == CANCEL:
                    now = {"when": cancelling.NOW, "reason": None, "words": None}
                    await cancelling.cancel(who, service_id, key=key, messages=shop.messages, **now)
                elif what == SCHEDULE:
                    await scheduling.schedule(shop, who, service_id, shown, key)
                elif what == ADD:
                    sold = buying.Shown(shown.product_id, shown.version, shown.due)
                    await buying.buy(shop, who, service_id, sold, how)
                else:
                    await changing.change(shop, who, service_id, shown, how)
            except (Conflict, Rejected):
                return "refused"
            return what

        return list(await asyncio.gather(*(one() for _n in range(times))))


async def shown(shop: Shop, service_id: UUID, product_id: UUID) -> Shown:
    """What stands on the page before they press."""
    (owner,) = await fetch(OWNER.bind(id=service_id))
    who = identity(owner["user_id"], owner["customer_id"])
    now_so = await quote(who.customer, service_id, product_id, least=changing.least(shop, who))
    return Shown(product_id, now_so.plan.version, now_so.due, now_so.plan.price, now_so.day)
