"""What processes of their own do: one person buys one add-on three times at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

from selfcare.app import build_ports, configure
from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import ids
from selfcare.kernel.errors import Conflict
from selfcare.kernel.money import Money
from selfcare.portal.addons import buying
from selfcare.portal.addons.buying import Shown
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from tests.portal.topup.racing import identity
from tests.support.databases import opened
from tests.support.site import settings_for

OWNER = Prepared.sql(
    """
    SELECT m.user_id AS user_id, m.customer_id AS customer_id, c.id AS card_id FROM service s
      JOIN membership m ON m.customer_id = s.customer_id AND m.role = 'owner'
      JOIN payment_method c ON c.customer_id = s.customer_id AND c.removed_at IS NULL
     WHERE s.id = :id ORDER BY c.position LIMIT 1
    """
)


async def race(url: str, service_id: UUID, product_id: UUID, price: Money) -> list[str]:
    settings = settings_for(url)
    configure(settings)
    async with opened(url):
        shop = Shop.of(build_ports(settings), settings)
        (owner,) = await fetch(OWNER.bind(id=service_id))
        who = identity(owner["user_id"], owner["customer_id"])

        async def one() -> str:
            how = How(request_key=ids.token(), card_id=owner["card_id"], use_credit=False)
            try:
                await buying.buy(shop, who, service_id, Shown(product_id, 1, price), how)
            except Conflict:
                return "refused"
            return "bought"

        return list(await asyncio.gather(*(one() for _n in range(3))))
