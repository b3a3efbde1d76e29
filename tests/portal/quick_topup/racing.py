"""What processes of their own do: one visit buys the same days several times at once."""

from __future__ import annotations

import asyncio

from selfcare.app import build_ports, configure
from selfcare.kernel import ids
from selfcare.kernel.origin import Origin
from selfcare.portal.orders.shop import Shop
from selfcare.portal.quick_topup import buying, visits
from selfcare.portal.quick_topup.buying import DAYS, Asked, DayPrice, Shown
from tests.support.databases import opened
from tests.support.site import settings_for

ORIGIN = Origin(address="192.0.2.9", device="test", request_id="R-TEST")


async def buy(url: str, token: str, times: int) -> list[str]:
    settings = settings_for(url)
    configure(settings)
    async with opened(url):
        shop, day = Shop.of(build_ports(settings), settings), DayPrice.of(settings)
        door = await visits.door_of(token, key=settings.keys.link)
        assert door is not None
        pick = await buying.pick(door, Asked(DAYS, days=3), day)
        shown = Shown(Asked(DAYS, days=3), pick.version, pick.price, "aunt@example.test", "Aunt Mary")
        bought = [buying.buy(shop, door, ORIGIN, shown, day, request_key=ids.token()) for _n in range(times)]
        return [str(order.id) for order in await asyncio.gather(*bought)]
