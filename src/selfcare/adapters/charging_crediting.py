"""Puts into buckets what an order delivers: once per order, on top of what is there or in its place."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.adapters.charging_tables import AllowanceGrant, Bucket
from selfcare.adapters.charging_tanks import lock
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one, insert_many
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.words import _
from selfcare.ports.charging import KINDS, SCOPES, Delivery, Put
from selfcare.ports.failures import Declined

MOST = 10**15


async def credit(delivery: Delivery) -> None:
    now = clock.now()
    async with transaction():
        service = await fetch_one(_SERVICE.bind(customer=delivery.customer_id, service=delivery.service_id))
        check(delivery, service["currency"] if service else None, now)
        await lock([str(delivery.service_id)], [str(delivery.customer_id)], now)
        if await _is_in(delivery):
            return
        if delivery.reason in ("activation", "renewal"):
            await _begin_period(delivery, now)
        for n, put in enumerate(delivery.puts):
            await _put(delivery, put, name(delivery, n), now)


async def was_applied(delivery: Delivery) -> bool:
    return await _is_in(delivery)


def name(delivery: Delivery, n: int) -> str:
    """What this put of the order is called: a second one with the same name is the same."""
    return f"ord_{delivery.order_id}" + (f"_{n}" if n else "")


def check(delivery: Delivery, currency: str | None, now: datetime) -> None:
    """Raises Declined for what no charging system can put in. `currency` of the service, None where there is none."""
    if currency is None:
        raise Declined(_("The network knows no such service."))
    if not delivery.puts:
        raise Declined(_("There is nothing to add."))
    for put in delivery.puts:
        if put.amount is not None and not 0 < put.amount <= MOST:
            raise Declined(_("Only an amount above zero can be added."))
        if put.expires_at is not None and put.expires_at <= max(now, put.starts_at or now):
            raise Declined(_("What is added would have ended already."))
        if put.waits_for is not None and (put.lasts_days is None or put.expires_at is None):
            raise Declined(_("What waits for its first use needs a length, and a day on which it ends unused."))
        if put.kind == "money" and (put.currency != currency or put.amount is None):
            raise Declined(_("Credit must be an amount in the currency of the service."))


def cannot_hold(put: Put) -> str | None:
    """Why no charging system can hold this, whatever its amount."""
    if put.kind not in KINDS:
        return _("Charging knows no kind %(kind)s.") % {"kind": put.kind}
    if put.scope not in SCOPES:
        return _("Charging knows no use %(scope)s.") % {"scope": put.scope}
    if put.kind == "money" and put.amount is None:
        return _("Credit cannot be unlimited: give an amount.")
    return None


async def _is_in(delivery: Delivery) -> bool:
    names = [name(delivery, n) for n in range(len(delivery.puts))]
    return len(await fetch(_NAMED.bind(names=names))) == len(names)


async def _begin_period(delivery: Delivery, now: datetime) -> None:
    """With the plan's period a new one begins for all that is used along with it: what is left is carried over."""
    kinds = {put.kind for put in delivery.puts}
    await execute(_BEGIN.bind(customer=delivery.customer_id, service=delivery.service_id, kinds=kinds, now=now))


async def _put(delivery: Delivery, put: Put, named: str, now: datetime) -> None:
    found = await fetch(_LIKE.bind(**_likeness(delivery, put)))
    start = put.starts_at or now
    change = {"customer": delivery.customer_id, "amount": put.amount or 0, "now": now}
    if put.mode == "reset" and found:
        bucket = found[0]["id"]
        await execute(_RESET.bind(**change, **_settings(put), id=bucket, start=start))
    elif put.mode == "add" and (same := [row for row in found if _joins(row, put, now)]):
        bucket = same[0]["id"]
        await execute(_ADD.bind(**change, id=bucket))
    else:
        bucket = new_id()
        await insert_many(Bucket, [_new(delivery, put, bucket, start, now)])
    await insert_many(AllowanceGrant, [_grant(delivery, put, bucket, named, start, now)])


def _likeness(delivery: Delivery, put: Put) -> dict[str, Any]:
    return {
        "customer": delivery.customer_id,
        "service": delivery.service_id,
        "kind": put.kind,
        "scope": put.scope,
        "label": put.label,
        "origin": put.origin,
    }


def _joins(row: Row, put: Put, now: datetime) -> bool:
    """Adding makes a bucket of its own, unless there is one with the same end and the same place in the queue."""
    alike = ("expires_at", "consume_order", "blocker", "counts_mms", "currency")
    return (
        put.amount is not None
        and put.starts_at is None
        # What waits for its first use has a clock of its own.
        and put.waits_for is None
        and row["waits_for"] is None
        and not row["is_unlimited"]
        and (row["starts_at"] is None or row["starts_at"] <= now)
        and all(row[name] == getattr(put, name) for name in alike)
    )


def _settings(put: Put) -> dict[str, Any]:
    return {
        "unlimited": put.amount is None,
        "expires": put.expires_at,
        "place": put.consume_order,
        "blocker": put.blocker,
        "mms": put.counts_mms,
        "waits": put.waits_for,
        "lasts": put.lasts_days,
    }


def _new(delivery: Delivery, put: Put, bucket: UUID, start: datetime, now: datetime) -> dict[str, Any]:
    return {
        "id": bucket,
        "customer_id": delivery.customer_id,
        "service_id": delivery.service_id,
        "kind": put.kind,
        "label": put.label,
        "origin": put.origin,
        "currency": put.currency,
        "remaining": put.amount or 0,
        "is_unlimited": put.amount is None,
        "consume_order": put.consume_order,
        "scope": put.scope,
        # What was used before it was bought does not start it.
        "starts_at": start if put.waits_for is not None else put.starts_at,
        "expires_at": put.expires_at,
        "waits_for": put.waits_for,
        "lasts_days": put.lasts_days,
        "blocker": put.blocker,
        "counts_mms": put.counts_mms,
        "as_of": now,
        "created_at": now,
        "granted": put.amount or 0,
        "period_started_at": start,
    }


def _grant(delivery: Delivery, put: Put, bucket: UUID, named: str, start: datetime, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "customer_id": delivery.customer_id,
        "bucket_id": bucket,
        "amount": put.amount or 0,
        "mode": put.mode,
        "period_start": start,
        "period_end": put.expires_at,
        "order_id": delivery.order_id,
        "reason": delivery.reason,
        "created_at": now,
        "external_id": named,
    }


_SERVICE = Prepared.sql("SELECT currency FROM service WHERE customer_id = :customer AND id = :service")
_NAMED = Prepared.sql("SELECT id FROM allowance_grant WHERE external_id IN :names")
_LIKE = Prepared.sql(
    """
    SELECT id, is_unlimited, consume_order, blocker, counts_mms, currency, starts_at, expires_at, waits_for FROM bucket
     WHERE customer_id = :customer AND service_id = :service AND kind = :kind AND scope = :scope AND label = :label
       AND origin = :origin AND members IS NULL AND NOT disabled
     ORDER BY created_at DESC, id DESC
    """
)
_ADD = Prepared.sql(
    """
    UPDATE bucket SET remaining = remaining + :amount, granted = granted + :amount, as_of = :now
     WHERE customer_id = :customer AND id = :id
    """
)
# What was left is forfeited; from here on everything that was put in is known. A debt is forgiven, not forfeited.
_RESET = Prepared.sql(
    """
    UPDATE bucket SET remaining = :amount, is_unlimited = :unlimited, expires_at = :expires, as_of = :now,
           consume_order = :place, blocker = :blocker, counts_mms = :mms, waits_for = :waits, lasts_days = :lasts,
           forfeited = forfeited + CASE WHEN remaining > 0 THEN remaining ELSE 0 END,
           granted = consumed + :amount + forfeited + CASE WHEN remaining > 0 THEN remaining ELSE 0 END,
           consumed_before = consumed, period_started_at = :start
     WHERE customer_id = :customer AND id = :id
    """
)
_BEGIN = Prepared.sql(
    """
    UPDATE bucket SET consumed_before = consumed, period_started_at = :now
     WHERE customer_id = :customer AND service_id = :service AND kind IN :kinds AND granted IS NOT NULL
       AND (expires_at IS NULL OR expires_at > :now)
    """
)
