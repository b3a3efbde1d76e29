"""Bundles that are all or nothing.

A part that was delivered has `arrived_at` and waits, still delivering, for the others: none is earned before all are
there. Where one is lost the bundle gets its `undo_at`. Then what was not begun is not begun, what has arrived is taken
back, what nobody knows is waited for; and when there is nothing left of it, all the money goes back as one sum.

Whoever changes a part here holds the bundle first.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock
from selfcare.portal.orders import advances, booking, stepping, telling
from selfcare.portal.orders.events import happened
from selfcare.portal.orders.order import Order, State, load
from selfcare.portal.orders.outcome import NEVER_BEGAN, RUNNING, Outcome
from selfcare.portal.orders.parts import parts_of
from selfcare.portal.orders.shop import Shop
from selfcare.portal.orders.stepping import LEASE, move

GONE = frozenset({State.CANCELED, State.FAILED})


async def whole_of(part: Order) -> Order | None:
    """The bundle that is all or nothing and has this part."""
    if part.parent_id is None:
        return None
    whole = await load(part.parent_id)
    return whole if whole.refunds_all else None


def believed(look: Outcome, whole: Order) -> Outcome:
    """What is said of a part while the bundle is undone: a question may still be on its way as long as a lease."""
    if look == NEVER_BEGAN and whole.undo_at is not None and clock.now() < whole.undo_at + LEASE:
        return RUNNING
    return look


async def arrived(shop: Shop, whole_id: UUID, part_id: UUID) -> None:
    async with transaction():
        whole, part = await stepping.hold(whole_id), await load(part_id)
        if part.arrived_at is not None:
            return
        if part.state is not State.DELIVERING and not await move(part, {State.REVIEW}, State.DELIVERING):
            return
        await execute(_ARRIVED.bind(id=part_id, now=clock.now()))
        parts = await parts_of(whole_id)
        if whole.undo_at is not None:
            await _spread(parts)
        elif all(each.arrived_at is not None for each in parts):
            await _finish(shop, whole, parts)


async def lost(whole_id: UUID, part_id: UUID, states: Collection[State], words: str) -> None:
    """It is certain that this part was not delivered."""
    async with transaction():
        await stepping.hold(whole_id)
        part = await load(part_id)
        if part.arrived_at is not None or not await move(part, states, State.FAILED, words):
            return
        problem = f"{part.short_name}: {words or 'could not be done'}"[:200]
        await execute(_UNDO.bind(id=whole_id, now=clock.now(), problem=problem))
        await _spread(await parts_of(whole_id))
        await advances.given_up(part)
        await happened(booking.system(part), "failed", part)


async def taken_back(part: Order, states: Collection[State], words: str = "") -> None:
    """Nothing of it is left; or staff let the customer keep it."""
    assert part.parent_id is not None
    async with transaction():
        await stepping.hold(part.parent_id)
        if await move(part, states, State.CANCELED, words):
            await advances.given_up(part)
            await happened(booking.system(part), "taken_back", part)


async def refused(part: Order, words: str) -> None:
    """It cannot be taken back: staff decide. When they have it tried again, that is another job at the network."""
    async with transaction():
        if await move(part, {State.DELIVERING}, State.REVIEW, f"Cannot be taken back. {words}"):
            await execute(_NEXT_TRY.bind(id=part.id))
            await happened(booking.system(part), "reviewed", part)


async def is_over(whole: Order) -> bool:
    """Nothing of it is left, so its money goes back."""
    return whole.undo_at is not None and all(part.state in GONE for part in await parts_of(whole.id))


async def _finish(shop: Shop, whole: Order, parts: Sequence[Order]) -> None:
    """All have arrived, and none of them ends by itself: first the states, so that nobody waits crosswise."""
    for part in parts:
        await move(part, {State.DELIVERING}, State.DELIVERED)
    if await move(whole, {State.DELIVERING}, State.DELIVERED):
        for part in parts:
            await booking.earn(part)
            await advances.delivered(part)
            await happened(booking.system(part), "delivered", part)
        await happened(booking.system(whole), "delivered", whole)
        await telling.delivered(shop, whole, await parts_of(whole.id))


async def _spread(parts: Sequence[Order]) -> None:
    for part in parts:
        if not await move(part, {State.OPEN, State.PAID}, State.CANCELED) and part.arrived_at is not None:
            await execute(_UNDO.bind(id=part.id, now=clock.now(), problem=None))


_ARRIVED = Prepared.sql(
    """
    UPDATE purchase_order SET arrived_at = :now, changed_at = :now, lease_until = NULL, deadline_at = NULL
     WHERE id = :id AND state = 'delivering' AND arrived_at IS NULL
    """
)
_NEXT_TRY = Prepared.sql("UPDATE purchase_order SET undo_tries = undo_tries + 1 WHERE id = :id")
_UNDO = Prepared.sql(
    """
    UPDATE purchase_order SET undo_at = :now, changed_at = :now, problem = COALESCE(:problem, problem),
           lease_until = NULL, deadline_at = NULL
     WHERE id = :id AND state = 'delivering' AND undo_at IS NULL
    """
)
