"""Forgets calls, messages and sessions in time: with whom after a year, the rest when no chart shows it any more.

What a bucket gave stays in the bucket; only the single records and their parts go.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.jobs.registry import Job
from selfcare.kernel import clock

PARTY_KEPT = timedelta(days=366)
# Charts go back thirteen months.
RECORD_KEPT = timedelta(days=13 * 31)
# Short transactions: the network feeds in between.
AT_ONCE = 200
_FIRST = UUID(int=0)

_CUSTOMERS = Prepared.sql("SELECT id FROM customer WHERE id > :after ORDER BY id LIMIT :most")
_FORGET_PARTIES = Prepared.sql(
    """
    UPDATE usage_record SET other_party = NULL
     WHERE customer_id IN :customers AND started_at < :before AND other_party IS NOT NULL
    RETURNING id
    """
)
_FORGET_PARTS = Prepared.sql(
    """
    DELETE FROM consumption WHERE record_id IN (
        SELECT id FROM usage_record WHERE customer_id IN :customers AND started_at < :before)
    """
)
_FORGET_RECORDS = Prepared.sql(
    "DELETE FROM usage_record WHERE customer_id IN :customers AND started_at < :before RETURNING id"
)


async def forget_old(_job: Job) -> None:
    await forget()


async def forget() -> tuple[int, int]:
    """How many records lost their other party, and how many went."""
    now, after = clock.now(), _FIRST
    parties = records = 0
    while customers := [row["id"] for row in await fetch(_CUSTOMERS.bind(after=after, most=AT_ONCE))]:
        async with transaction():
            await execute(_FORGET_PARTS.bind(customers=customers, before=now - RECORD_KEPT))
            records += len(await execute(_FORGET_RECORDS.bind(customers=customers, before=now - RECORD_KEPT)))
            parties += len(await execute(_FORGET_PARTIES.bind(customers=customers, before=now - PARTY_KEPT)))
        after = customers[-1]
    return parties, records
