"""What the tests do in processes of their own."""

from __future__ import annotations

import asyncio

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.kernel import clock
from selfcare.ports.charging import Use
from tests.support import processes
from tests.support.databases import opened

EACH = 32
SAME = 8


async def use(url: str, service: str, name: str) -> list[int]:
    """Each of 32 tasks sends one use alone; the first eight have ids that the other process sends too."""
    meter, now = EmbeddedCharging(), clock.now().replace(microsecond=0)
    ids = [f"same-{n}" if n < SAME else f"{name}-{n}" for n in range(EACH)]
    at = now.replace(minute=0, second=0)
    async with opened(url):
        uses = [Use(id=id, service=service, kind="sms", amount=1, at=at) for id in ids]
        taken = await asyncio.gather(*(meter.take([each]) for each in uses))
    return [sum(each.counted for each in taken), sum(each.repeated for each in taken)]


async def together(url: str, service: str) -> list[list[int]]:
    return await processes.together(use, *((url, service, name) for name in ("one", "other")))
