"""Buttons that change a service: another plan at once or when its period ends, and one of its settings."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.portal.services.change import changing as settings
from selfcare.portal.services.plan import changing, scheduling
from selfcare.portal.services.plan.changing import Shown
from tests.portal.topup.racing import identity


async def change_plan(shop: Shop, asked: dict[str, Any]) -> Any:
    order = await changing.change(shop, _who(asked), UUID(asked["service"]), _shown(asked), _how(asked))
    return _said(order)


async def schedule_plan(shop: Shop, asked: dict[str, Any]) -> Any:
    await scheduling.schedule(shop, _who(asked), UUID(asked["service"]), _shown(asked), asked["key"])
    return {}


async def keep_plan(_shop: Shop, asked: dict[str, Any]) -> Any:
    await scheduling.take_back(_who(asked), UUID(asked["service"]))
    return {}


async def carry_out(shop: Shop, _asked: dict[str, Any]) -> Any:
    """What the worker does each minute."""
    return {"begun": await scheduling.carry_out_due(shop, clock.now())}


async def change_setting(shop: Shop, asked: dict[str, Any]) -> Any:
    order = await settings.change(
        shop,
        _who(asked),
        UUID(asked["service"]),
        asked["setting"],
        asked["value"],
        region="GB",
        shown=asked["price"],
        how=_how(asked),
    )
    return _said(order)


def _who(asked: dict[str, Any]) -> Identity:
    return identity(UUID(asked["user"]), UUID(asked["customer"]))


def _shown(asked: dict[str, Any]) -> Shown:
    due, price = Money(asked["due"], "GBP"), Money(asked["price"], "GBP")
    return Shown(UUID(asked["product"]), 1, due, price, date.fromisoformat(asked["day"]))


def _how(asked: dict[str, Any]) -> How:
    return How(request_key=asked["key"], card_id=UUID(asked["card"]) if asked.get("card") else None, use_credit=False)


def _said(order: Order) -> dict[str, str]:
    payment = {"payment": str(order.payment_id)} if order.payment_id else {}
    return {"order": str(order.id), "state": order.state} | payment


ACTIONS = {
    "change_plan": change_plan,
    "schedule_plan": schedule_plan,
    "keep_plan": keep_plan,
    "carry_out": carry_out,
    "change_setting": change_setting,
}
