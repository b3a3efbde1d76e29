"""A process that looks at one service many times at once: `python -m tests.portal.topup.storming URL SERVICE NOW`."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import datetime
from uuid import UUID

from selfcare.app import build_ports, configure
from selfcare.kernel import clock
from selfcare.portal.orders.shop import Shop
from selfcare.portal.topup.auto import topping
from tests.support.databases import opened
from tests.support.site import settings_for


async def storm(url: str, service_id: UUID, times: int) -> list[str]:
    settings = settings_for(url)
    configure(settings)
    async with opened(url):
        shop = Shop.of(build_ports(settings), settings)
        return list(await asyncio.gather(*(topping.check(shop, service_id, settings.zone) for _n in range(times))))


if __name__ == "__main__":
    with clock.frozen(datetime.fromisoformat(sys.argv[3])):
        sys.stdout.write(json.dumps(asyncio.run(storm(sys.argv[1], UUID(sys.argv[2]), 10))))
