"""What the worker does for services."""

from __future__ import annotations

from datetime import timedelta

from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.kernel import clock
from selfcare.portal.services import cancelling, resuming
from selfcare.ports.messages import Messages

RESUME = "services.resume_paid"


def add(known: Registry, messages: Messages, zone: str) -> None:
    async def resume_paid(_job: Job) -> None:
        await resuming.resume_paid(messages, clock.today(zone))

    known.add(RESUME, resume_paid)


def repeat(again: Schedule) -> None:
    again.every(RESUME, timedelta(minutes=2))


async def end_due(_job: Job) -> None:
    await cancelling.end_due(clock.now())
