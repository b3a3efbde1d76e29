"""Orders of add-ons: set up by the network, then their allowances put in, then they run on the service.

`delivers` of such an order: `{"addon": {"product_id", "name", "icon", "price_minor", "tax_permille", "recurring",
"grants", "starts_at", "paid_until", "term_ends_at", "ends_at", "waits_for", "lasts_days"}, "replaces": [ids],
"replaced": [their names], "play", "puts": as of allowances}`
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.portal.orders.network import AtTheNetwork, set_up
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import DONE, Outcome, Result
from selfcare.ports.provisioning import Action, Work


class Extras(AtTheNetwork):
    def work(self, order: Order) -> Work:
        assert order.service_id is not None
        return Work(
            id=order.id,
            customer_id=order.customer_id,
            service_id=order.service_id,
            action=Action.ADD,
            what=order.name,
            play=order.delivers["play"],
            starts_at=datetime.fromisoformat(order.delivers["addon"]["starts_at"]),
        )

    async def finish(self, order: Order) -> Outcome:
        await _run(order)
        return DONE

    async def take_back(self, order: Order) -> Outcome:
        """Its allowances first: where some of it was used, the network keeps it on."""
        back = await self._allowances.take_back(order)
        if back.result is not Result.DONE:
            return back
        off = await set_up(self._provisioning, _removal(order))
        if off.result is Result.FAILED:
            return Outcome(Result.FAILED, f"The network did not take it off: {off.words}")
        if off.result is Result.DONE:
            await _end(order)
        return off


def _removal(order: Order) -> Work:
    """Another job each time that staff have it tried again."""
    assert order.service_id is not None
    return Work(
        id=uuid5(order.id, f"take back/{order.undo_tries}"),
        customer_id=order.customer_id,
        service_id=order.service_id,
        action=Action.REMOVE,
        what=order.name,
        play=order.delivers["play"],
    )


async def _end(order: Order) -> None:
    async with transaction():
        await execute(_END.bind(order_id=order.id, customer_id=order.customer_id, now=clock.now()))


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
                # Of an order from before they were known there is neither.
                waits_for=addon.get("waits_for"),
                lasts_days=addon.get("lasts_days"),
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
        tax_permille, recurring, grants, starts_at, paid_until, term_ends_at, ends_at, waits_for, lasts_days,
        created_at)
    VALUES (:id, :customer_id, :service_id, :product_id, :order_id, :name, :icon, :price_minor, :currency,
        :tax_permille, :recurring, :grants, :starts_at, :paid_until, :term_ends_at, :ends_at, :waits_for,
        :lasts_days, :now)
    ON CONFLICT (order_id) DO NOTHING RETURNING id
    """
)
_END = Prepared.sql(
    """
    UPDATE service_addon SET taken_off_at = :now, ends_at = CASE WHEN ends_at <= :now THEN ends_at ELSE :now END
     WHERE order_id = :order_id AND customer_id = :customer_id AND taken_off_at IS NULL
    """
)
_REPLACE = Prepared.sql(
    """
    UPDATE service_addon SET ends_at = :now
     WHERE id IN :ids AND customer_id = :customer_id AND (ends_at IS NULL OR ends_at > :now)
    """
)
