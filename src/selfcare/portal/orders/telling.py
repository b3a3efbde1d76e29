"""What people are told about their orders, by mail. Inside the transaction of what it tells about."""

from __future__ import annotations

from typing import Any

from selfcare.messages.events import Message
from selfcare.portal.orders.booking import Back
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.telling import recipients


async def delivered(shop: Shop, order: Order) -> None:
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
        )


async def not_delivered(shop: Shop, order: Order, back: Back | None) -> None:
    """With what comes back, and whereto; None where it had cost nothing."""
    for user_id in await recipients(order.customer_id, order.asked_by):
        amounts: dict[str, Any] = {}
        if back is not None and back.by_card:
            amounts["by_card"] = back.by_card
        if back is not None and back.as_credit:
            amounts["as_credit"] = back.as_credit
        await shop.messages.send_later(
            Message.ORDER_NOT_DELIVERED,
            dedupe_key=f"order.not_delivered:{order.id}:{user_id}",
            to_user=user_id,
            customer_id=order.customer_id,
            about=order.id,
            what=order.name,
            reference=order.reference,
            path=f"/orders/{order.id}",
            simulated=shop.till.gateway.is_simulated,
            **amounts,
        )
