"""What the worker does for an import: one invitation each for the people it brought."""

from __future__ import annotations

from selfcare.db.engine import transaction
from selfcare.jobs.registry import Job, Registry
from selfcare.ports.jobs import WHENEVER, Jobs


def register(registry: Registry, jobs: Jobs) -> None:
    async def invite(job: Job) -> None:
        async with transaction():
            for user_id in job.payload["user_ids"]:
                await jobs.enqueue(
                    "account.invite", key=f"account.invite/{user_id}", payload={"user_id": user_id}, priority=WHENEVER
                )

    registry.add("imports.invite", invite)
