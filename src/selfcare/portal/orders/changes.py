"""Orders that change a setting: the service shows the new value only when the network has it.

`delivers` of such an order: `{"set": {"key", "label", "value", "words", "was"}, "play"}`
"""

from __future__ import annotations

import json
from datetime import timedelta

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute
from selfcare.portal.orders import booking, network
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import Outcome, Result
from selfcare.ports.provisioning import Action, Provisioning, Work


class Changes:
    """Through the provisioning port."""

    patience = timedelta(minutes=10)

    def __init__(self, provisioning: Provisioning) -> None:
        self._provisioning = provisioning

    async def deliver(self, order: Order) -> Outcome:
        return await self._finish(order, await network.set_up(self._provisioning, _work(order)))

    async def look(self, order: Order) -> Outcome:
        return await self._finish(order, await network.look(self._provisioning, order.id))

    async def _finish(self, order: Order, outcome: Outcome) -> Outcome:
        if outcome.result is Result.DONE:
            await _note(order)
        return outcome


def _work(order: Order) -> Work:
    assert order.service_id is not None
    wanted = order.delivers["set"]
    return Work(
        id=order.id,
        customer_id=order.customer_id,
        service_id=order.service_id,
        action=Action.CHANGE,
        what=order.name,
        play=order.delivers["play"],
        values={wanted["key"]: wanted["value"]},
    )


async def _note(order: Order) -> None:
    """Again changes nothing: no other change of the service begins before this order has ended."""
    wanted, of = order.delivers["set"], {"id": order.service_id, "customer_id": order.customer_id}
    async with transaction():
        await execute(_HOLD.bind(**of))
        rows = await execute(_NOW.bind(**of))
        if not rows or rows[0]["configuration"].get(wanted["label"]) == wanted["words"]:
            return
        new = rows[0]["configuration"] | {wanted["label"]: wanted["words"]}
        await execute(_SET.bind(**of, configuration=json.dumps(new)))
        who = booking.system(order)
        await audit.record(who, Event.SERVICES_CHANGED, about=order.service_id, fields=wanted["label"])


_HOLD = Prepared.sql("UPDATE service SET state = state WHERE customer_id = :customer_id AND id = :id")
_NOW = Prepared.sql(
    "SELECT configuration FROM service WHERE customer_id = :customer_id AND id = :id", types={"configuration": as_json}
)
_SET = Prepared.sql("UPDATE service SET configuration = :configuration WHERE customer_id = :customer_id AND id = :id")
