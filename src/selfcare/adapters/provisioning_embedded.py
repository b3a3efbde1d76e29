"""A network of our own: its jobs go through their steps on the clock. The demo can have them fail, be slow or lost."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.ports.failures import Unknown
from selfcare.ports.provisioning import DONE, FAILED, RUNNING, Progress, Told, Work

STEPS = 3
EACH = timedelta(seconds=1)
EACH_SLOW = timedelta(minutes=5)
KEPT = timedelta(days=400)


class Behaviour(StrEnum):
    WORKS = "works"
    SLOW = "slow"
    FAILS = "fails"
    UNKNOWN = "unknown"


class EmbeddedProvisioning:
    async def start(self, work: Work) -> Progress:
        async with transaction():
            switched = await execute(_SWITCHED.bind())
            await execute(
                _START.bind(
                    id=work.id,
                    customer_id=work.customer_id,
                    service_id=work.service_id,
                    action=work.action,
                    what=work.what[:160],
                    behaves=switched[0]["value"] if switched else Behaviour.WORKS,
                    now=clock.now(),
                )
            )
        found = await self.ask(work.id)
        assert found is not None
        return found

    async def ask(self, job_id: UUID) -> Progress | None:
        job = await fetch_one(_JOB.bind(id=job_id))
        return _progress(job) if job else None

    async def hear(self, raw: bytes, signature: str) -> Told:
        """It never says anything by itself."""
        raise NotFound


async def behave(how: Behaviour) -> None:
    """Of the jobs that begin from now on."""
    async with transaction():
        await execute(_SWITCH.bind(value=how))


async def behaviour() -> Behaviour:
    found = await fetch_one(_SWITCHED.bind())
    return Behaviour(found["value"]) if found else Behaviour.WORKS


async def forget_old(_job: Job) -> None:
    async with transaction():
        await execute(_FORGET.bind(before=clock.now() - KEPT))


def _progress(job: dict[str, Any]) -> Progress:
    how = Behaviour(job["behaves"])
    if how is Behaviour.UNKNOWN:
        raise Unknown("The network does not say what became of it.")
    step = min(STEPS, (clock.now() - job["started_at"]) // (EACH_SLOW if how is Behaviour.SLOW else EACH))
    if how is Behaviour.FAILS and step:
        return Progress(FAILED, 1, STEPS)
    return Progress(DONE if step == STEPS else RUNNING, step, STEPS)


_SWITCHED = Prepared.sql("SELECT value FROM provisioning_switch WHERE name = 'behaves'")
_SWITCH = Prepared.sql(
    """
    INSERT INTO provisioning_switch (name, value) VALUES ('behaves', :value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value
    """
)
_START = Prepared.sql(
    """
    INSERT INTO provisioning_job (id, customer_id, service_id, action, what, behaves, started_at)
    VALUES (:id, :customer_id, :service_id, :action, :what, :behaves, :now)
    ON CONFLICT (id) DO NOTHING
    """
)
_JOB = Prepared.sql("SELECT behaves, started_at FROM provisioning_job WHERE id = :id")
_FORGET = Prepared.sql("DELETE FROM provisioning_job WHERE started_at < :before")
