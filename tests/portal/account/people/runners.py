"""Two processes that do the same at the same moment."""

from __future__ import annotations

import asyncio
from uuid import UUID

from selfcare.app import build_ports, configure
from selfcare.db.prepared import Prepared, fetch
from selfcare.identity.identity import CustomerScope, Identity, Person
from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy
from selfcare.identity.rights import Role
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.origin import Origin
from selfcare.portal.account.people import invitations, members
from selfcare.portal.account.people.members import LastOwner
from tests.support import processes
from tests.support.databases import opened
from tests.support.site import settings_for

ORIGIN = Origin("192.0.2.7", "test", "R-RACE")
MEMBERS = Prepared.sql(
    """
    SELECT m.id AS id, u.id AS user_id, u.email AS email, c.number AS number, c.name AS name
      FROM membership m JOIN app_user u ON u.id = m.user_id JOIN customer c ON c.id = m.customer_id
     WHERE m.customer_id = :customer_id ORDER BY m.id
    """
)


async def join(url: str, token: str, who: int) -> list[bool]:
    """Twelve people with the same link."""
    settings = settings_for(url)
    passwords = Passwords(memory_kib=64, passes=1, threads=1)

    async def one(n: int) -> bool:
        try:
            await invitations.join(
                token,
                f"Somebody {who} {n}",
                "Brand-New-77!",
                ORIGIN,
                passwords=passwords,
                messages=build_ports(settings).messages,
                rules=Policy(),
            )
        except NotFound:
            return False
        return True

    done = await asyncio.gather(*(one(n) for n in range(12)))
    passwords.close()
    return list(done)


async def remove(url: str, customer: str, half: int) -> list[bool]:
    """Every second owner removes themselves."""
    settings, customer_id = settings_for(url), UUID(customer)
    rows = await fetch(MEMBERS.bind(customer_id=customer_id))

    async def one(row: dict[str, object]) -> bool:
        try:
            await members.remove(_identity(row, customer_id), row["id"], messages=build_ports(settings).messages)  # type: ignore[arg-type]
        except LastOwner:
            return False
        return True

    return list(await asyncio.gather(*(one(row) for row in rows[half::2])))


def _identity(row: dict[str, object], customer_id: UUID) -> Identity:
    person = Person(row["user_id"], "Owner", str(row["email"]))  # type: ignore[arg-type]
    scope = CustomerScope(
        customer_id, str(row["number"]), str(row["name"]), "individual", "open", "prepaid", "GBP", "Europe/London"
    )
    return Identity(person, person, scope, Role.OWNER, frozenset(), frozenset(), "x", clock.now(), clock.now(), ORIGIN)


async def run(url: str, name: str, what: str, half: int) -> int:
    configure(settings_for(url))
    async with opened(url):
        return sum(await {"join": join, "remove": remove}[name](url, what, half))


async def together(url: str, name: str, what: str) -> int:
    """How many of all tries of two processes worked."""
    return sum(await processes.together(run, *((url, name, what, half) for half in range(2))))
