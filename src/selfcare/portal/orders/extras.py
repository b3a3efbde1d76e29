"""Orders of add-ons: set up by the network, then their allowances put in, then they run on the service.

`delivers` of such an order: `{"addon": {"product_id", "name", "icon", "price_minor", "tax_permille", "recurring",
"grants", "starts_at", "paid_until", "term_ends_at", "ends_at"}, "replaces": [ids], "replaced": [their names], "play",
"puts": as of allowances}`
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.portal.orders import network
from selfcare.portal.orders.allowances import Allowances
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import DONE, Outcome, Result
from selfcare.ports.provisioning import Action, Provisioning, Work


class Extras:
    """Through the provisioning port, and the charging port where it holds allowances."""

    patience = timedelta(minutes=10)

    def __init__(self, provisioning: Provisioning, allowances: Allowances) -> None:
        self._provisioning, self._allowances = provisioning, allowances

    async def deliver(self, order: Order) -> Outcome:
        outcome = await network.set_up(self._provisioning, _work(order))
        return await self._finish(order) if outcome.result is Result.DONE else outcome

    async def look(self, order: Order) -> Outcome:
        outcome = await network.look(self._provisioning, order.id)
        return await self._finish(order) if outcome.result is Result.DONE else outcome

    async def _finish(self, order: Order) -> Outcome:
        """Ready at the network: what is still missing here, once."""
        if order.delivers["puts"]:
            put = await self._allowances.deliver(order)
            if put.result is Result.FAILED:
                # It is set up at the network already, so it is no longer certain that nothing was delivered.
                return Outcome(Result.UNKNOWN, f"Set up, but its allowance was refused: {put.words}")
            if put.result is not Result.DONE:
                return put
        await _run(order)
        return DONE


def _work(order: Order) -> Work:
    assert order.service_id is not None
    starts = order.delivers["addon"]["starts_at"]
    return Work(
        id=order.id,
        customer_id=order.customer_id,
        service_id=order.service_id,
        action=Action.ADD,
        what=order.name,
        play=order.delivers["play"],
        starts_at=datetime.fromisoformat(starts),
    )


async def _run(order: Order) -> None:
    """Once: by the order's id."""
    addon: dict[str, Any] = order.delivers["addon"]
    now = clock.now()
    moments = ("starts_at", "paid_until", "term_ends_at", "ends_at")
    when = {name: datetime.fromisoformat(addon[name]) if addon[name] else None for name in moments}
    async with transaction():
        added = await execute(
            _ADD.bind(
                id=new_id(),
                customer_id=order.customer_id,
                service_id=order.service_id,
                order_id=order.id,
                product_id=UUID(addon["product_id"]),
                currency=order.price.currency,
                grants=json.dumps(addon["grants"]),
                now=now,
                **when,
                **{name: addon[name] for name in ("name", "icon", "price_minor", "tax_permille", "recurring")},
            )
        )
        replaced = [UUID(id) for id in order.delivers["replaces"]]
        if added and replaced:
            await execute(_REPLACE.bind(ids=replaced, customer_id=order.customer_id, now=now))


_ADD = Prepared.sql(
    """
    INSERT INTO service_addon (id, customer_id, service_id, product_id, order_id, name, icon, price_minor, currency,
        tax_permille, recurring, grants, starts_at, paid_until, term_ends_at, ends_at, created_at)
    VALUES (:id, :customer_id, :service_id, :product_id, :order_id, :name, :icon, :price_minor, :currency,
        :tax_permille, :recurring, :grants, :starts_at, :paid_until, :term_ends_at, :ends_at, :now)
    ON CONFLICT (order_id) DO NOTHING RETURNING id
    """
)
_REPLACE = Prepared.sql(
    """
    UPDATE service_addon SET ends_at = :now
     WHERE id IN :ids AND customer_id = :customer_id AND (ends_at IS NULL OR ends_at > :now)
    """
)
