"""What the worker does about automatic payment."""

from __future__ import annotations

from datetime import timedelta

from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.portal.pay.autopay import collecting
from selfcare.portal.pay.till import Till

RUN = "autopay.run"


def add(known: Registry, till: Till, zone: str) -> None:
    async def run(_job: Job) -> None:
        await collecting.run(till, zone)

    known.add(RUN, run)


def repeat(again: Schedule) -> None:
    again.every(RUN, timedelta(hours=1))
