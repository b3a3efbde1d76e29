"""What the tests start as processes of their own: `python -m tests.adapters.runners URL SERVICE NAME`."""

from __future__ import annotations

import asyncio
import json
import sys

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.kernel import clock
from selfcare.ports.charging import Use
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
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.adapters.runners", url, service, name, stdout=asyncio.subprocess.PIPE
        )
        for name in ("one", "other")
    ]
    said = [(await process.communicate())[0] for process in running]
    assert [process.returncode for process in running] == [0, 0]
    return [json.loads(output) for output in said]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(use(*sys.argv[1:]))))
