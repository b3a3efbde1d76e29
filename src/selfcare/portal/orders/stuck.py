"""What staff do with an order that nobody can say the end of: try it again, or give the money back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict
from selfcare.kernel.ids import new_id
from selfcare.kernel.words import _
from selfcare.portal.orders import orders, parts, stepping
from selfcare.portal.orders.order import SELECT, Kind, Order, State, load, order_of
from selfcare.portal.orders.outcome import Result
from selfcare.portal.orders.shop import Shop
from selfcare.ports.jobs import MONEY

MOST = 100

_STUCK = Prepared.sql(
    f"""
    {SELECT} WHERE state = 'review' OR (state IN ('paid', 'delivering') AND kind <> 'bundle' AND created_at <= :before
            AND (arrived_at IS NULL OR undo_at IS NOT NULL))
     ORDER BY created_at, id LIMIT {MOST}
    """
)
_AFRESH = Prepared.sql("UPDATE purchase_order SET deadline_at = NULL WHERE id = :id")


async def list_stuck(now: datetime) -> list[Order]:
    """Under review, or taking longer than usual; the oldest first. Of a bundle, the parts."""
    return [order_of(row) for row in await fetch(_STUCK.bind(before=now - orders.LATE))]


async def try_again(shop: Shop, who: audit.Who, order_id: UUID, reason: str) -> Order:
    """Delivered once more by the same id, so what has arrived already does not arrive twice; or taken back once more.
    Raises Conflict."""
    order = await load(order_id)
    async with transaction():
        if not await stepping.move(order, {State.REVIEW}, State.DELIVERING):
            raise Conflict(_("This order is no longer waiting for somebody."))
        await execute(_AFRESH.bind(id=order_id))
        await audit.record(who, Event.ORDERS_RETRIED, about=order_id, reason=reason)
        key = f"{orders.DELIVER}:{order_id}:{new_id()}"
        await shop.jobs.enqueue(orders.DELIVER, key=key, payload={"order_id": str(order_id)}, priority=MONEY)
    return await orders.advance(shop, order_id)


async def give_back(shop: Shop, who: audit.Who, order_id: UUID, reason: str) -> Order:
    """All of the money, where it is certain now that nothing was delivered; or the customer keeps a part that cannot
    be taken back. Raises Conflict."""
    order = await load(order_id)
    if order.state is not State.REVIEW:
        raise Conflict(_("This order is no longer waiting for somebody."))
    words = f"Given up by staff at {clock.now():%Y-%m-%d %H:%M}: {reason}"
    if order.undo_at is not None and order.kind is not Kind.BUNDLE:
        async with transaction():
            await audit.record(who, Event.ORDERS_GIVEN_UP, about=order_id, reason=reason)
        await orders.let_go(shop, order, {State.REVIEW}, words)
        return await load(order_id)
    look = parts.look if order.kind is Kind.BUNDLE else shop.deliverers[order.kind].look
    found = await look(order)
    if found.result is Result.DONE:
        await orders.take(shop, order, found)
        raise Conflict(_("It was delivered after all: the order is finished, and nothing was given back."))
    if found.result is not Result.FAILED:
        raise Conflict(_("Nobody can say yet that it was not delivered. Try again when the other system answers."))
    async with transaction():
        await audit.record(who, Event.ORDERS_GIVEN_UP, about=order_id, reason=reason)
    await orders.give_back(shop, order, {State.REVIEW}, words)
    order = await load(order_id)
    if order.state is State.REVIEW:
        # Why it cannot be stands in the problem: the bank has the payment in hand, or we have.
        raise Conflict(order.problem or _("This order is no longer waiting for somebody."))
    return order
