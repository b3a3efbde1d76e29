"""What the tests do in processes of their own."""

from __future__ import annotations

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
