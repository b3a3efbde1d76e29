"""A service that ends goes on for some days more. What was bought for it keeps its own end."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from selfcare.db.prepared import Prepared, as_moment, execute, fetch_one
from selfcare.kernel import clock

# It runs, has an end, and will not be continued or ended by itself.
_CAN = """state = 'active' AND ends_at > :now AND renews = :no AND cancel_at IS NULL AND handed_over_at IS NULL"""
_ENDS = Prepared.sql(f"SELECT ends_at FROM service WHERE id = :id AND {_CAN}")
_HOLD = Prepared.sql(
    f"UPDATE service SET name = name WHERE id = :id AND {_CAN} RETURNING customer_id, ends_at",
    types={"ends_at": as_moment},
)
_MOVE = Prepared.sql("UPDATE service SET ends_at = :until WHERE id = :id")
_DONE = Prepared.sql("SELECT until FROM service_extension WHERE order_id = :order_id")
_NOTE = Prepared.sql(
    """
    INSERT INTO service_extension (order_id, customer_id, service_id, days, was, until, at)
    VALUES (:order_id, :customer_id, :id, :days, :was, :until, :now)
    """
)


async def end_of(service_id: UUID) -> datetime | None:
    """When it ends, where days can be put in; else None."""
    row = await fetch_one(_ENDS.bind(id=service_id, now=clock.now(), no=False))
    return row["ends_at"] if row else None


async def was_extended(order_id: UUID) -> bool:
    return await fetch_one(_DONE.bind(order_id=order_id)) is not None


async def extend(service_id: UUID, order_id: UUID, days: int) -> bool:
    """Inside `transaction()`. By this order once, however often it is called; False where it cannot go on any more."""
    now = clock.now()
    held = await execute(_HOLD.bind(id=service_id, now=now, no=False))
    if await execute(_DONE.bind(order_id=order_id)):
        return True
    if not held:
        return False
    was = held[0]["ends_at"]
    until = was + timedelta(days=days)
    await execute(_MOVE.bind(id=service_id, until=until))
    row = {"order_id": order_id, "customer_id": held[0]["customer_id"], "id": service_id}
    await execute(_NOTE.bind(**row, days=days, was=was, until=until, now=now))
    return True
