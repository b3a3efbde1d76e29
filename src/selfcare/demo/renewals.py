"""What an operator's own systems do every month, for the demo: renewing services begin a new period when one ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch, insert_many
from selfcare.demo import bills
from selfcare.demo.timeline import add_months, local
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.portal.billing.tables import Transaction
from selfcare.ports.charging import Charging, Delivery, Put

AT_ONCE = 500

_DUE = Prepared.sql(
    """
    SELECT s.id AS id, s.customer_id AS customer_id, s.ends_at AS ends_at, s.monthly_minor AS monthly_minor,
           s.currency AS currency, p.name AS product, p.grants AS grants, c.zone AS zone
      FROM service s JOIN product p ON p.id = s.product_id JOIN customer c ON c.id = s.customer_id
     WHERE s.state = 'active' AND s.renews = :yes AND s.cancel_at IS NULL AND s.ends_at <= :now
     ORDER BY s.ends_at, s.id LIMIT :most
    """,
    types={"grants": as_json},
)
_MOVE = Prepared.sql(
    """
    UPDATE service SET ends_at = :until
     WHERE id = :id AND customer_id = :customer_id AND state = 'active' AND ends_at = :was
    RETURNING id
    """
)


class Renewals:
    def __init__(self, charging: Charging) -> None:
        self.charging = charging

    async def renew_due(self, _job: Job) -> None:
        await self.renew(clock.now())

    async def renew(self, now: datetime) -> int:
        """How many services began a new period. Of periods that were slept through only the last one is filled."""
        due = await fetch(_DUE.bind(now=now, yes=True, most=AT_ONCE))
        for service in due:
            start, until = present_period(service["ends_at"], service["zone"], now)
            # By the same order id it is put in once, whatever happens between here and the service's new end.
            order_id = uuid5(service["id"], f"renewal/{start.isoformat()}")
            if puts := _puts(service, until):
                await self.charging.credit(
                    Delivery(
                        order_id=order_id,
                        customer_id=service["customer_id"],
                        service_id=service["id"],
                        puts=puts,
                        reason="renewal",
                    )
                )
            await _move(service, start, until, order_id)
        return len(due)


def present_period(ended: datetime, zone: str, now: datetime) -> tuple[datetime, datetime]:
    """The month that holds `now`, counted on from the day on which the last one ended."""
    first = ended.astimezone(ZoneInfo(zone)).date()
    months = 0
    while local(add_months(first, months + 1)) <= now:
        months += 1
    start = ended if months == 0 else local(add_months(first, months))
    return start, local(add_months(first, months + 1))


def _puts(service: dict[str, Any], until: datetime) -> tuple[Put, ...]:
    return tuple(
        Put(
            kind=given["kind"],
            amount=given["amount"],
            label=given["label"],
            origin="plan",
            mode="reset",
            scope=given["scope"],
            consume_order=given["consume_order"],
            expires_at=until - timedelta(seconds=1),
            currency=service["currency"] if given["kind"] == "money" else None,
            counts_mms=given["counts_mms"],
        )
        for given in service["grants"]
    )


async def _move(service: dict[str, Any], start: datetime, until: datetime, order_id: UUID) -> None:
    async with transaction():
        key = {"id": service["id"], "customer_id": service["customer_id"]}
        if not await execute(_MOVE.bind(**key, until=until, was=service["ends_at"])):
            return
        item = bills.Item(service["product"], service["monthly_minor"], service=service["id"])
        charge = bills.line(str(order_id), service["customer_id"], start, item, created_at=clock.now())
        await insert_many(Transaction, [charge | {"currency": service["currency"]}])
        who = audit.system(customer_id=service["customer_id"])
        await audit.record(who, Event.SERVICES_RENEWED, about=service["id"])
