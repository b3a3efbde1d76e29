"""What the tests start as processes of their own: `python -m tests.db.runners migrate URL` and the like."""

from __future__ import annotations

import asyncio
import json
import sys

from selfcare.db.counters import take
from selfcare.db.engine import transaction
from selfcare.db.migrate import migrate
from tests.support.databases import opened


async def migrate_once(url: str) -> list[str]:
    async with opened(url):
        return [migration.id for migration in (await migrate()).applied]


async def take_numbers(url: str) -> list[int]:
    """Every third one is taken and given back."""
    taken = []
    async with opened(url):
        for i in range(45):
            try:
                async with transaction():
                    number = await take("invoice")
                    if i % 3 == 0:
                        raise ZeroDivisionError
                taken.append(number)
            except ZeroDivisionError:
                continue
    return taken


async def together(name: str, url: str, processes: int = 2) -> list[list[int] | list[str]]:
    """Starts that many at the same time and gives back what each of them says."""
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.db.runners", name, url, stdout=asyncio.subprocess.PIPE
        )
        for _ in range(processes)
    ]
    said = [(await process.communicate())[0] for process in running]
    assert [process.returncode for process in running] == [0] * processes
    return [json.loads(output) for output in said]


if __name__ == "__main__":
    work = {"migrate": migrate_once, "take": take_numbers}[sys.argv[1]]
    sys.stdout.write(json.dumps(asyncio.run(work(sys.argv[2]))))
