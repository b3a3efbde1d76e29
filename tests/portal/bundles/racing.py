"""What processes of their own do: the worker, the network and the customer all at one bundle, several times at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

from selfcare.app import build_ports, configure
from selfcare.portal.orders import orders
from selfcare.portal.orders.parts import parts_of
from selfcare.portal.orders.shop import Shop
from tests.support.databases import opened
from tests.support.site import settings_for


async def advance(url: str, whole_id: UUID) -> None:
    settings = settings_for(url)
    configure(settings)
    async with opened(url):
        shop = Shop.of(build_ports(settings), settings)
        each = [whole_id, *(part.id for part in await parts_of(whole_id))] * 2
        await asyncio.gather(*(orders.advance(shop, one) for one in each))
