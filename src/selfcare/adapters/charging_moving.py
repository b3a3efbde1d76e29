"""Moves what is left of a service to the service it goes on as. What was used, and its records, stay where they are.

A correction takes out of the old bucket exactly what another puts into the new one: nothing is made and nothing lost.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.adapters.charging_tables import AllowanceGrant, Bucket
from selfcare.adapters.charging_tanks import lock
from selfcare.db.engine import Row, in_transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch, insert_many
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.words import _
from selfcare.ports.charging import Handover
from selfcare.ports.failures import Declined


async def hand_over(move: Handover) -> None:
    assert in_transaction()
    now = clock.now()
    services = [str(move.service_id), str(move.to_service_id)]
    await lock(services, [str(move.customer_id), str(move.to_customer_id)], now)
    for row in await fetch(_SHARED.bind(customer=move.customer_id)):
        if str(move.service_id) in (str(row["service_id"]), *(row["members"] or ())):
            raise Declined(_("It shares an allowance with other services. Take it out of the sharing first."))
    left = await fetch(_LEFT.bind(customer=move.customer_id, service=move.service_id, now=now))
    if any(row["remaining"] < 0 for row in left):
        raise Declined(_("Its credit is below zero. It has to be topped up first."))
    if any(row["reserved"] for row in left):
        raise Declined(_("A call or a session is going on. Try again when it has ended."))
    grants: list[dict[str, Any]] = []
    for row in left:
        await execute(_TAKE_OUT.bind(id=row["id"], amount=row["remaining"], off=True, now=now))
        fresh = row | {
            "id": new_id(),
            "customer_id": move.to_customer_id,
            "service_id": move.to_service_id,
            "granted": None if row["granted"] is None else row["remaining"],
            "period_started_at": now,
            "as_of": now,
            "created_at": now,
        }
        await insert_many(Bucket, [fresh])
        grants.append(_grant(row, row["id"], move.customer_id, -row["remaining"], now))
        grants.append(_grant(row, fresh["id"], move.to_customer_id, row["remaining"], now))
    if grants:
        await insert_many(AllowanceGrant, grants)


def _grant(row: Row, bucket: UUID, customer: UUID, amount: int, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "customer_id": customer,
        "bucket_id": bucket,
        "amount": amount,
        "mode": "add",
        "period_start": now,
        "period_end": row["expires_at"],
        "reason": "correction",
        "created_at": now,
    }


_SHARED = Prepared.sql(
    "SELECT service_id, members FROM bucket WHERE customer_id = :customer AND members IS NOT NULL AND NOT disabled",
    types={"members": as_json},
)
# What is empty stays, unless it stops what is used without an allowance.
_LEFT = Prepared.sql(
    """
    SELECT id, kind, label, origin, currency, remaining, reserved, is_unlimited, consume_order, scope, starts_at,
           expires_at, blocker, counts_mms, external_id, granted, waits_for, lasts_days
      FROM bucket
     WHERE customer_id = :customer AND service_id = :service AND NOT disabled
       AND (expires_at IS NULL OR expires_at > :now) AND (remaining <> 0 OR is_unlimited OR blocker)
     ORDER BY id
    """
)
_TAKE_OUT = Prepared.sql(
    """
    UPDATE bucket SET remaining = 0, granted = granted - :amount, disabled = :off, external_id = NULL, as_of = :now
     WHERE id = :id
    """
)
