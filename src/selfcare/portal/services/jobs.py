"""What the worker does for services."""

from __future__ import annotations

from datetime import timedelta

from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.kernel import clock
from selfcare.portal.services import cancelling, resuming
from selfcare.ports.messages import Messages
from selfcare.ports.provisioning import Provisioning

RESUME = "services.resume_paid"


def add(known: Registry, network: Provisioning, messages: Messages, zone: str, *, by_request: bool) -> None:
    async def resume_paid(_job: Job) -> None:
        await resuming.resume_paid(network, messages, clock.today(zone), by_request=by_request)

    known.add(RESUME, resume_paid)


def repeat(again: Schedule) -> None:
    again.every(RESUME, timedelta(minutes=1))


async def end_due(_job: Job) -> None:
    await cancelling.end_due(clock.now())
