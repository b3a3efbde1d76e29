"""What the simulated gateway forgets in time, as a real one does: what it told soon, what it was paid after a year."""

from __future__ import annotations

from datetime import timedelta

from selfcare.db.engine import transaction
from selfcare.db.prepared import Bound, Prepared, execute
from selfcare.jobs.registry import Job
from selfcare.kernel import clock

# Whoever asks twice does so within minutes, and events are sent again for days.
TOLD_KEPT = timedelta(days=30)
# Longer than anybody gives a payment back.
PAID_KEPT = timedelta(days=400)
# Short transactions: people pay in between.
AT_ONCE = 500

# In this order: what refers to a row goes before it.
_TOLD = tuple(
    Prepared.sql(
        f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {old} LIMIT :most) RETURNING {key}"
    )
    for table, key, old in (
        ("sim_request", "key", "created_at < :before"),
        ("sim_event", "id", "created_at < :before AND delivered_at IS NOT NULL"),
        ("sim_session", "id", "expires_at < :before AND (state <> 'open' OR payment_id IS NULL)"),
    )
)
_PAID = tuple(
    Prepared.sql(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {old} LIMIT :most) RETURNING id")
    for table, old in (
        ("sim_refund", "created_at < :before AND state <> 'pending'"),
        (
            "sim_payment",
            "changed_at < :before AND state IN ('succeeded', 'declined', 'canceled') AND NOT EXISTS "
            "(SELECT 1 FROM sim_refund r WHERE r.payment_ref = sim_payment.id)",
        ),
        (
            "sim_card",
            "detached_at < :before AND NOT EXISTS (SELECT 1 FROM sim_payment p WHERE p.card_ref = sim_card.id)",
        ),
    )
)


async def forget_old(_job: Job) -> None:
    now = clock.now()
    for statements, before in ((_TOLD, now - TOLD_KEPT), (_PAID, now - PAID_KEPT)):
        for statement in statements:
            while await _some(statement.bind(before=before, most=AT_ONCE)):
                pass


async def _some(asked: Bound) -> bool:
    async with transaction():
        return len(await execute(asked)) == AT_ONCE
