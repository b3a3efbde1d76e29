"""A bundle is an order whose parts are orders too: paid by it, each delivered or given back by itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch
from selfcare.portal.orders.order import SELECT, Order, State, order_of
from selfcare.portal.orders.outcome import Outcome, Result

# A part's own end; what it cost is earned, or on its way back.
ENDED = frozenset({State.DELIVERED, State.FAILED, State.REFUND_DUE, State.REFUNDED})
LOST = ENDED - {State.DELIVERED}
# With what is left of one that was undone.
_UNTOUCHED = frozenset({State.OPEN, State.CANCELED, State.FAILED})

_PARTS = Prepared.sql(f"{SELECT} WHERE parent_id = :id ORDER BY created_at, id LIMIT 20")
_PARTS_OF_EACH = Prepared.sql(f"{SELECT} WHERE parent_id IN :ids")
# Parts whose own refund has arrived on the card.
ON_THE_CARD = Prepared.sql(
    """
    SELECT o.id AS id FROM purchase_order o JOIN refund r ON r.id = o.refund_id
     WHERE o.parent_id = :id AND o.state = 'refund_due' AND r.state = 'done'
    """
)


async def parts_of(order_id: UUID) -> list[Order]:
    """As they stand in the bundle; none of an order that is no bundle."""
    return sorted([order_of(row) for row in await fetch(_PARTS.bind(id=order_id))], key=_place)


async def parts_of_each(order_ids: Collection[UUID]) -> dict[UUID, list[Order]]:
    """As `parts_of`, of several at once."""
    parts: dict[UUID, list[Order]] = {order_id: [] for order_id in order_ids}
    for row in await fetch(_PARTS_OF_EACH.bind(ids=sorted(parts))) if parts else ():
        parts[row["parent_id"]].append(order_of(row))
    return {order_id: sorted(found, key=_place) for order_id, found in parts.items()}


def _place(part: Order) -> int:
    return int(part.delivers.get("place", 0))


def end_of(parts: Sequence[Order]) -> State | None:
    """What becomes of the whole; None while a part is under way. One that was delivered in part is delivered."""
    states = {part.state for part in parts}
    if not parts or not states <= ENDED:
        return None
    if State.DELIVERED in states:
        return State.DELIVERED
    return State.REFUND_DUE if State.REFUND_DUE in states else State.REFUNDED


async def look(whole: Order) -> Outcome:
    """FAILED: none of it was ever begun, or all of it was undone."""
    if all(part.state in _UNTOUCHED for part in await parts_of(whole.id)):
        return Outcome(Result.FAILED)
    return Outcome(Result.UNKNOWN, "Its parts have an end of their own.")
