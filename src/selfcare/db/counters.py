"""Numbers without gaps, for what people count by: invoices, receipts.

The number belongs to the transaction it was taken in: roll back, and the next one gets it. Whoever asks for the same
counter meanwhile waits.
"""

from __future__ import annotations

from selfcare.db.prepared import Prepared, execute

ADD = Prepared.sql("UPDATE counter SET value = value + :count WHERE name = :name RETURNING value")
START = Prepared.sql("INSERT INTO counter (name, value) VALUES (:name, 0) ON CONFLICT (name) DO NOTHING")


async def take(name: str) -> int:
    """The next number, 1 first. Inside `transaction()`."""
    return (await take_block(name, 1))[0]


async def take_block(name: str, count: int) -> range:
    """The next `count` numbers at once."""
    rows = await execute(ADD.bind(name=name, count=count))
    if not rows:
        await execute(START.bind(name=name))
        rows = await execute(ADD.bind(name=name, count=count))
    last: int = rows[0]["value"]
    return range(last - count + 1, last + 1)
