"""Every five minutes: asks what became of every payment and refund that is on its way for more than two minutes.

Whatever got lost between the click and the receipt (an answer, a webhook, a whole process) is found here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.portal.pay import hooks, payments, refunds, settling, telling
from selfcare.portal.pay.payment import State, load
from selfcare.portal.pay.till import Till
from selfcare.ports import failures

RECONCILE = "pay.reconcile"
EVERY = timedelta(minutes=5)
AFTER = timedelta(minutes=2)
WORRY_AFTER = timedelta(hours=24)
# Told twice is no harm, missed is: look back further than the last run.
MISSED_SINCE = timedelta(hours=1)
AT_ONCE = 500
KEEP_WORDS, KEEP_EVENTS = timedelta(days=30), timedelta(days=90)

log = logging.getLogger(__name__)


async def reconcile(till: Till, *, after: timedelta = AFTER) -> int:
    """How many were looked at. One that fails does not stop the others."""
    before = clock.now() - after
    rows = await fetch(OPEN.bind(before=before, most=AT_ONCE))
    for row in rows:
        await _quietly("payment", row["id"], _go_on(till, row["id"]))
    due = await refunds.due_again(before)
    for refund_id in due:
        await _quietly("refund", refund_id, refunds.send_now(till, refund_id))
    await _missed_events(till)
    return len(rows) + len(due)


async def _go_on(till: Till, payment_id: UUID) -> None:
    payment = await load(payment_id)
    if payment.state is State.CREATED:
        # The process died before it asked. Whoever clicked has gone: charge nobody behind their back.
        await settling.close(till, payment_id, State.CANCELED, never_asked=True)
        return
    payment = await payments.look(till, payment_id)
    if payment.is_open and clock.now() - payment.created_at > WORRY_AFTER:
        async with transaction():
            await telling.still_checking(till, payment)


async def _missed_events(till: Till) -> None:
    try:
        missed = await till.gateway.list_missed_events(since=clock.now() - MISSED_SINCE)
    except (failures.Unreachable, failures.Unknown):
        return
    for event in missed:
        await hooks.keep(till, event, body="")


async def _quietly(what: str, id: UUID, work: Awaitable[object]) -> None:
    try:
        await work
    except Exception:
        log.exception("could not look after a %s", what, extra={"about": str(id)})


async def forget_old(_job: Job) -> None:
    """What gateways told us word for word is kept for a month, that they did for three.

    Nothing is done with the words: they are for whoever looks for a mistake, and may name people.
    """
    now = clock.now()
    async with transaction():
        await execute(FORGET_WORDS.bind(before=now - KEEP_WORDS))
        await execute(FORGET.bind(before=now - KEEP_EVENTS))


OPEN = Prepared.sql(
    """
    SELECT id FROM payment
    WHERE state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown')
        AND COALESCE(submitted_at, created_at) <= :before AND (asked_at IS NULL OR asked_at <= :before)
    ORDER BY created_at LIMIT :most
    """
)
FORGET_WORDS = Prepared.sql("UPDATE webhook_event SET body = '' WHERE received_at < :before AND body <> ''")
FORGET = Prepared.sql(
    "DELETE FROM webhook_event WHERE received_at < :before AND (handled_at IS NOT NULL OR about = 'other')"
)
