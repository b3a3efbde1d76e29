"""What the worker can do, and what it does again and again. Every table that grows has its clean-up here."""

from datetime import time, timedelta

from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.identity import limits, sessions, tokens
from selfcare.imports import jobs as invitations
from selfcare.jobs import cleaning
from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.settings import Settings


def registry() -> Registry:
    known = Registry()
    known.add("jobs.forget_old", cleaning.forget_old_jobs)
    known.add("database.optimize", cleaning.optimize_database)
    known.add("audit.anchor", _anchor)
    known.add("limits.forget_old", _forget_limits)
    known.add("sign_in.forget_old", _forget_sign_ins)
    known.add("imports.invite", invitations.invite)
    return known


def schedule(settings: Settings) -> Schedule:
    """Nightly work is done at night where the operator is."""
    again = Schedule()
    again.every("audit.anchor", timedelta(hours=1))
    again.every("limits.forget_old", timedelta(hours=1))
    again.daily("sign_in.forget_old", at=time(3, 0), zone=settings.zone)
    again.daily("jobs.forget_old", at=time(3, 10), zone=settings.zone)
    again.daily("database.optimize", at=time(3, 30), zone=settings.zone)
    return again


async def _anchor(_job: Job) -> None:
    await audit.anchor()


async def _forget_limits(_job: Job) -> None:
    await limits.forget_old()


async def _forget_sign_ins(_job: Job) -> None:
    async with transaction():
        await tokens.forget_old()
        await sessions.forget_old()
