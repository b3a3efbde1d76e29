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
from selfcare.portal.services.extras import months_later
from selfcare.ports.charging import Charging, Delivery, Put

AT_ONCE = 500

# The plan of the new period is settled first.
_DUE = Prepared.sql(
    """
    SELECT s.id AS id, s.customer_id AS customer_id, s.ends_at AS ends_at, s.monthly_minor AS monthly_minor,
           s.currency AS currency, p.name AS product, p.grants AS grants, c.zone AS zone
      FROM service s JOIN product p ON p.id = s.product_id JOIN customer c ON c.id = s.customer_id
     WHERE s.state = 'active' AND s.renews = :yes AND s.cancel_at IS NULL AND s.ends_at <= :now
       AND NOT EXISTS (SELECT 1 FROM plan_change w WHERE w.service_id = s.id AND w.state = 'waiting'
                        AND w.takes_effect_at <= :now)
       AND NOT EXISTS (SELECT 1 FROM purchase_order o WHERE o.service_id = s.id AND o.kind = 'plan'
                        AND o.state IN ('open', 'paid', 'delivering'))
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

# What was bought at the end of a month is paid again on the same day, as long as its service runs.
_EXTRAS_DUE = Prepared.sql(
    """
    SELECT a.id AS id, a.customer_id AS customer_id, a.service_id AS service_id, a.name AS name,
           a.price_minor AS price_minor, a.currency AS currency, a.grants AS grants, a.paid_until AS paid_until,
           c.zone AS zone
      FROM service_addon a JOIN service s ON s.id = a.service_id JOIN customer c ON c.id = a.customer_id
     WHERE a.paid_until <= :now AND (a.ends_at IS NULL OR a.ends_at > a.paid_until) AND s.state = 'active'
     ORDER BY a.paid_until, a.id LIMIT :most
    """,
    types={"grants": as_json},
)
_MOVE_EXTRA = Prepared.sql(
    "UPDATE service_addon SET paid_until = :until WHERE id = :id AND paid_until = :was RETURNING id"
)


class Renewals:
    def __init__(self, charging: Charging) -> None:
        self.charging = charging

    async def renew_due(self, _job: Job) -> None:
        await self.renew(clock.now())
        await self.renew_extras(clock.now())

    async def renew_extras(self, now: datetime) -> int:
        """How many add-ons began a new month: each one is charged, also those that were slept through."""
        begun = 0
        while due := await fetch(_EXTRAS_DUE.bind(now=now, most=AT_ONCE)):
            for extra in due:
                await self._renew_extra(extra, now)
            begun += len(due)
        return begun

    async def _renew_extra(self, extra: dict[str, Any], now: datetime) -> None:
        start = extra["paid_until"]
        until = months_later(start, 1, extra["zone"])
        # By the same order id it is put in once, whatever happens between here and its new month.
        order_id = uuid5(extra["id"], f"renewal/{start.isoformat()}")
        if until > now and (puts := _puts(extra, until, origin="topup", mode="add")):
            delivery = Delivery(
                order_id=order_id,
                customer_id=extra["customer_id"],
                service_id=extra["service_id"],
                puts=puts,
                reason="renewal",
            )
            await self.charging.credit(delivery)
        async with transaction():
            if not await execute(_MOVE_EXTRA.bind(id=extra["id"], until=until, was=start)):
                return
            item = bills.Item(extra["name"], extra["price_minor"], service=extra["service_id"])
            charge = bills.line(str(order_id), extra["customer_id"], start, item, created_at=clock.now())
            await insert_many(Transaction, [charge | {"currency": extra["currency"]}])

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


def _puts(service: dict[str, Any], until: datetime, *, origin: str = "plan", mode: str = "reset") -> tuple[Put, ...]:
    return tuple(
        Put(
            kind=given["kind"],
            amount=given["amount"],
            label=given["label"],
            origin=origin,
            mode=mode,
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
