"""Lines that a count left with little: noted in its transaction, looked at a few seconds later, all together."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, execute_many, fetch
from selfcare.ports.charging import MAY_BE_LOW, Thin
from selfcare.ports.jobs import Jobs

# One job for all counts of so long: a network that sends every use by itself makes no million jobs.
TOGETHER = timedelta(seconds=10)
_FIRST = UUID(int=0)

_NOTE = Prepared.sql(
    """
    INSERT INTO usage_thin (service_id, customer_id, at) VALUES (:service_id, :customer_id, :at)
    ON CONFLICT (service_id) DO UPDATE SET at = excluded.at
    """
)
_NEXT = Prepared.sql(
    "SELECT service_id, customer_id, at FROM usage_thin WHERE service_id > :after ORDER BY service_id LIMIT :most"
)
# What was used meanwhile stays.
_LOOKED_AT = Prepared.sql("DELETE FROM usage_thin WHERE service_id = :service_id AND at = :at")


async def note(lines: Collection[tuple[str, str]], jobs: Jobs, now: datetime) -> None:
    """Inside the transaction of a count: service and customer of each."""
    await execute_many(
        _NOTE, [{"service_id": id, "customer_id": customer, "at": now} for id, customer in sorted(lines)]
    )
    seconds = TOGETHER.total_seconds()
    end = datetime.fromtimestamp((now.timestamp() // seconds + 1) * seconds, UTC)
    await jobs.enqueue(MAY_BE_LOW, key=f"{MAY_BE_LOW}/{end.isoformat()}", payload={}, run_at=end)


async def thin(after: UUID | None, most: int) -> list[Thin]:
    return [Thin(**row) for row in await fetch(_NEXT.bind(after=after or _FIRST, most=most))]


async def looked_at(lines: Collection[Thin]) -> None:
    async with transaction():
        for line in lines:
            await execute(_LOOKED_AT.bind(service_id=line.service_id, at=line.at))
