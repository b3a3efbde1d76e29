"""What people are told about their orders, by mail. Inside the transaction of what it tells about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, execute
from selfcare.kernel.money import Money
from selfcare.messages.events import Message
from selfcare.portal.orders.booking import Back
from selfcare.portal.orders.credit_notes import CreditNote
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.parts import LOST, parts_of
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.guests import strangers
from selfcare.portal.pay.payment import Payment, load
from selfcare.portal.pay.telling import recipients


async def delivered(shop: Shop, order: Order, parts: Sequence[Order] = ()) -> None:
    """Of a bundle with what each part came to."""
    if (payment := await stranger_who_paid(order)) is not None:
        await _put_in(shop, order, order.service_owner)
        # The page said that a mail would come.
        if await execute(_WAITED.bind(id=order.id)):
            values = {"reference": order.reference, "what": order.name}
            await strangers.tell(shop.till, payment, Message.QUICK_TOPUP_DELIVERED, **values)
        return
    lists: dict[str, Any] = {}
    if parts:
        lists["ready"] = ", ".join(part.short_name for part in parts if part.state is State.DELIVERED)
    if lost := [part for part in parts if part.state in LOST]:
        lists["missing"] = ", ".join(part.short_name for part in lost)
        lists["back"] = sum((part.price for part in lost), Money.zero(order.price.currency))
    for user_id in await recipients(order.customer_id, order.asked_by):
        await shop.messages.send_later(
            Message.ORDER_DELIVERED,
            dedupe_key=f"order.delivered:{order.id}:{user_id}",
            to_user=user_id,
            customer_id=order.customer_id,
            about=order.id,
            what=order.name,
            reference=order.reference,
            path=f"/orders/{order.id}",
            **lists,
        )


async def received(shop: Shop, order: Order) -> None:
    """Whoever owns the service that somebody else topped up; not by whom."""
    if order.owner_id is not None:
        await _put_in(shop, order, order.owner_id)


async def _put_in(shop: Shop, order: Order, owner_id: UUID) -> None:
    assert order.service_id is not None
    service = (await execute(_SERVICE.bind(id=order.service_id)))[0]
    for user_id in await recipients(owner_id, None):
        await shop.messages.send_later(
            Message.TOPUP_RECEIVED,
            dedupe_key=f"topup.received:{order.id}:{user_id}",
            to_user=user_id,
            customer_id=owner_id,
            about=order.service_id,
            what=order.name,
            service=service["nickname"] or service["name"],
            path=f"/usage/{order.service_id}",
        )


async def not_delivered(shop: Shop, order: Order, back: Back | None, note: CreditNote | None = None) -> None:
    """With what comes back, and whereto; None where it had cost nothing. `note` where it is back already. Of a bundle
    that was undone with the part that was lost."""
    if (payment := await stranger_who_paid(order)) is not None:
        values = {"amount": order.price, "reference": order.reference, "what": order.name}
        await strangers.tell(shop.till, payment, Message.QUICK_TOPUP_NOT_DELIVERED, **values)
        return
    lost = [part.short_name for part in await parts_of(order.id) if part.state is State.FAILED]
    for user_id in await recipients(order.customer_id, order.asked_by):
        amounts: dict[str, Any] = {"lost": ", ".join(lost)} if lost else {}
        if order.kind is Kind.PLAN:
            amounts["plan_stays"] = True
        if order.kind is Kind.CHANGE:
            amounts["stays"] = order.delivers["set"]["was"]
        if back is not None and back.by_card:
            amounts["by_card"] = back.by_card
        if back is not None and back.as_credit:
            amounts["as_credit"] = back.as_credit
        if note is not None:
            amounts["note"] = note.number
        await shop.messages.send_later(
            Message.ORDER_NOT_DELIVERED,
            dedupe_key=f"order.not_delivered:{order.id}:{user_id}",
            to_user=user_id,
            customer_id=order.customer_id,
            about=order.id,
            what=order.name,
            reference=order.reference,
            path=f"/orders/{order.parent_id or order.id}",
            simulated=shop.till.gateway.is_simulated,
            **amounts,
        )


async def credited(shop: Shop, order: Order, note: CreditNote) -> None:
    """All of the money has gone back: the number of the paper for it, and what stands on it."""
    values: dict[str, Any] = {"what": order.name, "reference": order.reference, "note": note.number, "tax": note.tax}
    values["amount"] = note.total
    if (payment := await stranger_who_paid(order)) is not None:
        await strangers.tell(shop.till, payment, Message.QUICK_TOPUP_CREDITED, **values)
        return
    for user_id in await recipients(order.customer_id, order.asked_by):
        await shop.messages.send_later(
            Message.ORDER_CREDITED,
            dedupe_key=f"order.credited:{order.id}:{user_id}",
            to_user=user_id,
            customer_id=order.customer_id,
            about=order.id,
            path=f"/orders/{order.parent_id or order.id}",
            simulated=shop.till.gateway.is_simulated,
            **values,
        )


async def stranger_who_paid(order: Order) -> Payment | None:
    """The payment, where somebody paid it without signing in."""
    payment = await load(order.payment_id) if order.payment_id is not None else None
    return payment if payment is not None and payment.is_strangers else None


_SERVICE = Prepared.sql("SELECT name, nickname FROM service WHERE id = :id")
_WAITED = Prepared.sql("SELECT id FROM order_step WHERE order_id = :id AND state = 'review'")
