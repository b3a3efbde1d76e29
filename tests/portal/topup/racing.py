"""What processes of their own do: some people use one voucher, or look at one service many times at once."""

from __future__ import annotations

import asyncio
from uuid import UUID

from selfcare.app import build_ports, configure
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.identity.identity import CustomerScope, Identity, Person
from selfcare.identity.rights import RIGHTS_OF, Role
from selfcare.kernel import ids
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.origin import Origin
from selfcare.portal.orders.shop import Shop
from selfcare.portal.topup.auto import topping
from selfcare.portal.topup.promise import promises
from selfcare.portal.topup.promise.promises import Terms
from selfcare.portal.topup.vouchers import vouchers
from tests.support.databases import opened
from tests.support.site import NOW, settings_for

OWNERS = Prepared.sql(
    """
    SELECT m.user_id AS user_id, c.id AS customer_id, c.currency AS currency FROM membership m
      JOIN customer c ON c.id = m.customer_id WHERE m.role = 'owner' ORDER BY m.user_id LIMIT 4
    """
)


def identity(user_id: UUID, customer_id: UUID, *, address: str = "192.0.2.9") -> Identity:
    person = Person(user_id, "Somebody", "somebody@example.test")
    scope = CustomerScope(customer_id, "1", "Somebody", "individual", "open", "prepaid", "GBP", "Europe/London")
    origin = Origin(address=address, device="test", request_id="R-TEST")
    return Identity(
        person, person, scope, Role.OWNER, RIGHTS_OF[Role.OWNER], frozenset(), ids.token(), NOW, NOW, origin
    )


async def race(url: str, code: str, times: int) -> list[str]:
    settings = settings_for(url)
    configure(settings)
    async with opened(url):
        shop = Shop.of(build_ports(settings), settings)
        people = [identity(row["user_id"], row["customer_id"]) for row in await fetch(OWNERS.bind())]
        each = [people[n % len(people)] for n in range(times)]
        return list(await asyncio.gather(*(one(shop, who, code, settings.keys.link) for who in each)))


async def one(shop: Shop, who: Identity, code: str, key: bytes) -> str:
    try:
        await vouchers.use(shop, who, code, None, keys=[key], request_key=ids.token())
    except Rejected:
        return "wrong"
    return "used"


async def storm(url: str, service_id: UUID, times: int) -> list[str]:
    settings = settings_for(url)
    configure(settings)
    async with opened(url):
        shop = Shop.of(build_ports(settings), settings)
        return list(await asyncio.gather(*(topping.check(shop, service_id, settings.zone) for _n in range(times))))


async def borrow(url: str, service_id: UUID, times: int) -> list[str]:
    settings = settings_for(url)
    configure(settings)
    async with opened(url):
        shop = Shop.of(build_ports(settings), settings)
        who = identity(people.CHIDI.id, people.OKORO.id)
        return list(await asyncio.gather(*(lend(shop, who, service_id, Terms.of(settings)) for _n in range(times))))


async def lend(shop: Shop, who: Identity, service_id: UUID, terms: Terms) -> str:
    try:
        await promises.borrow(shop, who, service_id, terms, request_key=ids.token())
    except Conflict:
        return "refused"
    return "lent"
