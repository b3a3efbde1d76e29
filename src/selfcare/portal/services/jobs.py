"""What the worker does for services."""

from __future__ import annotations

from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.portal.services import cancelling


async def end_due(_job: Job) -> None:
    await cancelling.end_due(clock.now())
