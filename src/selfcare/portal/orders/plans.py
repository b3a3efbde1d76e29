"""Orders of plans: the network changes the line, then the allowances go in, then the service has the new plan.

`delivers` of such an order: `{"plan": {"change_id", "product_id", "version", "name", "price_minor", "term_ends_on"},
"was": {"product_id", "name"}, "play", "puts": as of allowances}`
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock
from selfcare.portal.orders import booking
from selfcare.portal.orders.network import AtTheNetwork
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import DONE, Outcome, Result
from selfcare.ports.provisioning import Action, Work


class _AnotherPlan(Exception):
    """Somebody else has changed the service meanwhile."""


class Plans(AtTheNetwork):
    def work(self, order: Order) -> Work:
        assert order.service_id is not None
        return Work(
            id=order.id,
            customer_id=order.customer_id,
            service_id=order.service_id,
            action=Action.CHANGE_PLAN,
            what=order.delivers["plan"]["name"],
            play=order.delivers["play"],
        )

    def holding(self, order: Order) -> Order:
        """What would have ended by now is not put in: with the next period its own allowance has begun."""
        now = clock.now()
        puts = [put for put in order.delivers["puts"] if datetime.fromisoformat(put["expires_at"]) > now]
        return replace(order, delivers={**order.delivers, "puts": puts})

    async def finish(self, order: Order) -> Outcome:
        try:
            return await _switch(order)
        except _AnotherPlan:
            words = "Changed at the network, but it was another plan here than when it was asked."
            return Outcome(Result.UNKNOWN, words)


async def _switch(order: Order) -> Outcome:
    """Once: by the order's id, or by that of the change that waited for its day."""
    plan: dict[str, Any] = order.delivers["plan"]
    was, now = UUID(order.delivers["was"]["product_id"]), clock.now()
    of = {"customer_id": order.customer_id, "service_id": order.service_id, "now": now}
    new = {"product_id": UUID(plan["product_id"]), "price_minor": plan["price_minor"], "name": plan["name"]}
    async with transaction():
        noted = await execute(
            _NOTE.bind(
                **of,
                **new,
                id=UUID(plan["change_id"]) if plan["change_id"] else order.id,
                order_id=order.id,
                was=was,
                version=plan["version"],
                currency=order.price.currency,
                asked_by=order.asked_by,
                key=f"order:{order.id}",
            )
        )
        if not noted:
            return DONE
        # Everybody here changes the changes before the service, so that two never wait for each other.
        await execute(_DROP.bind(**of))
        term = date.fromisoformat(plan["term_ends_on"]) if plan["term_ends_on"] else None
        was_name = order.delivers["was"]["name"]
        if not await execute(_SWITCH.bind(**new, id=order.service_id, was=was, was_name=was_name, term=term)):
            raise _AnotherPlan
        who = booking.system(order)
        await audit.record(who, Event.SERVICES_PLAN_CHANGED, about=order.service_id, product=new["product_id"], was=was)
    return DONE


_NOTE = Prepared.sql(
    """
    INSERT INTO plan_change (id, customer_id, service_id, order_id, was_product_id, product_id, product_version, name,
        price_minor, currency, promised, takes_effect_at, state, asked_by, asked_at, ended_at, request_key)
    VALUES (:id, :customer_id, :service_id, :order_id, :was, :product_id, :version, :name, :price_minor, :currency,
        '', :now, 'done', :asked_by, :now, :now, :key)
    ON CONFLICT (id) DO UPDATE SET state = 'done', ended_at = excluded.ended_at WHERE plan_change.state = 'ordered'
    RETURNING id
    """
)
_SWITCH = Prepared.sql(
    """
    UPDATE service SET product_id = :product_id, monthly_minor = :price_minor, next_product_id = NULL,
           contract_ends_on = COALESCE(:term, contract_ends_on),
           name = CASE WHEN name = :was_name THEN :name ELSE name END
     WHERE id = :id AND product_id = :was RETURNING id
    """
)
# A change that waited for the end of the period has been overtaken.
_DROP = Prepared.sql(
    """
    UPDATE plan_change SET state = 'dropped', ended_at = :now
     WHERE customer_id = :customer_id AND service_id = :service_id AND state = 'waiting'
    """
)
