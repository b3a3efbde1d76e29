"""From one state of an order to the next: conditional updates, inside a transaction of whoever takes the step."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.portal.orders.order import Order, State, load

LEASE = timedelta(seconds=60)


async def move(order: Order, states: Collection[State], to: State, problem: str = "") -> bool:
    """False where it was not in any of these states: then nothing was done."""
    now = clock.now()
    done = now if to is State.DELIVERED else None
    rows = await execute(
        _MOVE.bind(id=order.id, states=sorted(states), state=to, now=now, done=done, problem=problem[:200] or None)
    )
    if rows:
        await step(order.id, order.customer_id, to)
    return bool(rows)


async def step(order_id: UUID, customer_id: UUID, state: State) -> None:
    now = clock.now()
    await execute(_STEP.bind(id=new_id(), order_id=order_id, customer_id=customer_id, state=state, now=now))


async def claim(order_id: UUID, patience: timedelta) -> bool:
    """For whoever works at it now."""
    now = clock.now()
    until: dict[str, datetime] = {"lease": now + LEASE, "deadline": now + patience}
    return bool(await execute(_CLAIM.bind(id=order_id, now=now, **until)))


async def release(order: Order) -> None:
    await execute(_RELEASE.bind(id=order.id, lease=order.lease_until))


async def hold(order_id: UUID) -> Order:
    """Nobody else moves it before this transaction has ended."""
    await execute(_HOLD.bind(id=order_id))
    return await load(order_id)


_HOLD = Prepared.sql("UPDATE purchase_order SET state = state WHERE id = :id")
_STEP = Prepared.sql(
    "INSERT INTO order_step (id, order_id, customer_id, state, at) VALUES (:id, :order_id, :customer_id, :state, :now)"
)
_MOVE = Prepared.sql(
    """
    UPDATE purchase_order SET state = :state, changed_at = :now, lease_until = NULL,
        delivered_at = COALESCE(:done, delivered_at), problem = COALESCE(:problem, problem)
    WHERE id = :id AND state IN :states RETURNING id
    """
)
_CLAIM = Prepared.sql(
    """
    UPDATE purchase_order SET lease_until = :lease, deadline_at = COALESCE(deadline_at, :deadline)
    WHERE id = :id AND state = 'delivering' AND (lease_until IS NULL OR lease_until <= :now) RETURNING id
    """
)
_RELEASE = Prepared.sql(
    "UPDATE purchase_order SET lease_until = NULL WHERE id = :id AND state = 'delivering' AND lease_until = :lease"
)
