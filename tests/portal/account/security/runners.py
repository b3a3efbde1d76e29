"""Two processes that try the same secret at the same moment."""

from __future__ import annotations

import asyncio
from uuid import UUID

from selfcare.app import build_ports, configure
from selfcare.db.engine import transaction
from selfcare.identity import passkeys, totp
from selfcare.identity.identity import Identity, Person
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.origin import Origin
from selfcare.portal.account.security import passkeys as own_passkeys
from selfcare.portal.account.security.passkeys import LastWayIn
from tests.support import processes
from tests.support.databases import opened
from tests.support.site import settings_for

TRIES = 12


async def code(user_id: str, typed: str, keys: list[str]) -> bool:
    async with transaction():
        return await totp.accept(UUID(user_id), typed, [bytes.fromhex(key) for key in keys]) is totp.Answer.RIGHT


async def backup_code(code_id: str) -> bool:
    async with transaction():
        return await totp.burn_code(UUID(code_id))


async def passkey(passkey_id: str, user_id: str, count: int) -> bool:
    try:
        async with transaction():
            await passkeys.use(passkeys.Answer(UUID(passkey_id), UUID(user_id), count))
    except passkeys.Refused:
        return False
    return True


async def remove_passkey(url: str, user_id: str, passkey_ids: list[str]) -> list[bool]:
    """Each of them, all at the same time."""
    person = Person(UUID(user_id), "Asha", "asha@example.test")
    now, origin = clock.now(), Origin("192.0.2.7", "test", "R-RACE")
    identity = Identity(person, person, None, None, frozenset(), frozenset(), "x", now, now, origin)
    messages = build_ports(settings_for(url)).messages

    async def one(passkey_id: str) -> bool:
        try:
            await own_passkeys.remove(identity, UUID(passkey_id), messages=messages)
        except (LastWayIn, NotFound):
            return False
        return True

    return await asyncio.gather(*(one(passkey_id) for passkey_id in passkey_ids))


async def try_often(url: str, name: str, *told: object) -> int:
    """How many tries at once were let in: of a dozen, or of as many as there are passkeys."""
    configure(settings_for(url))
    async with opened(url):
        if name == "remove_passkey":
            return sum(await remove_passkey(url, *told))  # type: ignore[arg-type]
        one = {"code": code, "backup_code": backup_code, "passkey": passkey}[name]
        return sum(await asyncio.gather(*(one(*told) for _ in range(TRIES))))  # type: ignore[arg-type]


async def together(url: str, name: str, *told: object) -> list[int]:
    """What each of two processes counted."""
    return await processes.together(try_often, *[(url, name, *told)] * 2)
