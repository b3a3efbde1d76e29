from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.db.engine import Database, transaction
from selfcare.jobs import cleaning
from selfcare.jobs.registry import GiveUp, Job, Registry
from selfcare.jobs.tables import JobRow
from selfcare.kernel import clock


async def work(job: Job) -> None:
    if job.key.startswith("bad"):
        raise GiveUp("no")


async def test_old_rows_go_and_what_waits_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "AT_ONCE", 2)
    jobs, registry = EmbeddedJobs(), Registry()
    registry.add("work", work)
    registry.add("jobs.forget", cleaning.forget_old_jobs)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    with clock.frozen(begin):
        async with transaction():
            for key in ("good 1", "good 2", "good 3", "bad"):
                await jobs.enqueue("work", key=key, payload={})
            await jobs.enqueue("work", key="waits", payload={}, run_at=begin + timedelta(days=400))
        await jobs.run_due(registry)

        async def left_after(days: int) -> set[str]:
            clock.travel_to(begin + timedelta(days=days))
            async with transaction():
                await jobs.enqueue("jobs.forget", key=f"forget {days}", payload={})
            await jobs.run_due(registry)
            rows = await JobRow.select(JobRow.key).where(JobRow.kind == "work")
            return {row["key"] for row in rows}

        assert await left_after(30) == {"good 1", "good 2", "good 3", "bad", "waits"}
        assert await left_after(31) == {"bad", "waits"}
        assert await left_after(181) == {"waits"}


async def test_the_database_is_optimized(database: Database) -> None:
    jobs, registry = EmbeddedJobs(), Registry()
    registry.add("db.optimize", cleaning.optimize_database)
    async with transaction():
        await jobs.enqueue("db.optimize", key="today", payload={})
    assert await jobs.drain(registry) == 1
