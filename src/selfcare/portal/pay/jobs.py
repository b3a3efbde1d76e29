"""What the worker does about money."""

from __future__ import annotations

import logging
from datetime import time, timedelta
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.portal.billing import bookkeeping, ledger
from selfcare.portal.pay import hooks, reconciling, refunds
from selfcare.portal.pay.till import Till

log = logging.getLogger(__name__)


def add(known: Registry, till: Till) -> None:
    async def handle_event(job: Job) -> None:
        await hooks.handle(till, UUID(job.payload["event"]))

    async def send_refund(job: Job) -> None:
        await refunds.send_now(till, UUID(job.payload["refund_id"]))

    async def reconcile(_job: Job) -> None:
        await reconciling.reconcile(till)

    async def note_simulated(_job: Job) -> None:
        await _note_simulated(till)

    known.add(hooks.HANDLE, handle_event, tries=20)
    known.add(refunds.SEND, send_refund, tries=20)
    known.add(reconciling.RECONCILE, reconcile)
    known.add("pay.note_simulated", note_simulated)
    known.add("pay.forget_old", reconciling.forget_old)
    known.add("billing.post_bills", _post_bills)
    known.add("billing.check_ledger", _check_ledger)


def repeat(again: Schedule, zone: str) -> None:
    again.every(reconciling.RECONCILE, reconciling.EVERY)
    again.every("billing.post_bills", timedelta(hours=1))
    again.daily("billing.check_ledger", at=time(2, 30), zone=zone)
    again.daily("pay.note_simulated", at=time(0, 5), zone=zone)
    again.daily("pay.forget_old", at=time(3, 15), zone=zone)


async def _note_simulated(till: Till) -> None:
    """In production nobody shall overlook that nobody really pays: once a day it stands in the log."""
    if till.gateway.is_simulated and till.production:
        async with transaction():
            await audit.record(audit.SYSTEM, Event.PAY_SIMULATED)


async def _post_bills(_job: Job) -> None:
    await bookkeeping.post_new_bills()


async def _check_ledger(_job: Job) -> None:
    """Everything is summed up again. What does not come out is an alarm, not a correction."""
    for fault in await ledger.check():
        log.error("the ledger is broken: %s", fault.check, extra={"about": fault.about})
        async with transaction():
            await audit.record(audit.SYSTEM, Event.BILLING_LEDGER_BROKEN, about=fault.about, check=fault.check)
