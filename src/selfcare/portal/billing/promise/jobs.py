"""What the worker does about promises to pay."""

from __future__ import annotations

from datetime import timedelta

from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.kernel import clock
from selfcare.portal.billing.promise import promises
from selfcare.ports.messages import Messages

END = "billing.end_promises"


def add(known: Registry, messages: Messages, zone: str) -> None:
    async def end_due(_job: Job) -> None:
        await promises.end_due(messages, clock.today(zone))

    known.add(END, end_due)


def repeat(again: Schedule) -> None:
    again.every(END, timedelta(minutes=10))
