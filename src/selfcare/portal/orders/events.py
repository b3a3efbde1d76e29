"""Audit of orders: a top-up and an add-on have their own words, everything else is an order."""

from __future__ import annotations

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.portal.orders.order import Kind, Order

_PREFIX = {Kind.TOPUP: "topup", Kind.VOUCHER: "topup", Kind.PROMISE: "topup", Kind.ADDON: "addons"}
_WITH_AMOUNT = frozenset({"ordered", "bought", "refunded"})


async def happened(who: audit.Who, what: str, order: Order) -> None:
    """ordered, bought, delivered, failed, refunded, cancelled, reviewed, taken_back; in the transaction of the act."""
    event = Event(f"{_PREFIX.get(order.kind, 'orders')}.{what}")
    details: dict[str, object] = {"service": order.service_id}
    if what in _WITH_AMOUNT:
        details |= {"amount_minor": order.price.minor, "currency": order.price.currency}
    if what in ("ordered", "bought"):
        details["product"] = order.product_id
    outcome: audit.Outcome = "failed" if what in ("failed", "reviewed") else "ok"
    await audit.record(who, event, about=order.id, outcome=outcome, **details)
