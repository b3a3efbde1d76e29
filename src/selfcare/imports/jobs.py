"""What the worker does for an import: one invitation each for the people it brought."""

from __future__ import annotations

from selfcare.db.engine import transaction
from selfcare.jobs import store
from selfcare.jobs.registry import Job
from selfcare.ports.jobs import WHENEVER


async def invite(job: Job) -> None:
    async with transaction():
        for user_id in job.payload["user_ids"]:
            key = f"account.invite/{user_id}"
            await store.add("account.invite", key=key, payload={"user_id": user_id}, priority=WHENEVER)
