"""What keeps the tables small."""

from __future__ import annotations

from datetime import timedelta

from selfcare.db.engine import dialect
from selfcare.db.prepared import Prepared, fetch
from selfcare.jobs import store
from selfcare.jobs.registry import Job
from selfcare.kernel import clock

DONE_KEPT = timedelta(days=30)
GIVEN_UP_KEPT = timedelta(days=180)
# Short transactions: the people at the portal write in between.
AT_ONCE = 500


async def forget_old_jobs(_job: Job) -> None:
    now = clock.now()
    while await store.forget(done_before=now - DONE_KEPT, given_up_before=now - GIVEN_UP_KEPT, most=AT_ONCE):
        pass


async def optimize_database(_job: Job) -> None:
    """SQLite looks again at what its indexes are worth; PostgreSQL does so by itself."""
    if dialect() == "sqlite":
        await fetch(OPTIMIZE.bind())


OPTIMIZE = Prepared.sql("PRAGMA optimize")
