"""Takes out of the buckets again what an order put in: all of it, once, and only what nobody has used."""

from __future__ import annotations

from datetime import datetime

from selfcare.adapters.charging_crediting import name
from selfcare.adapters.charging_tables import AllowanceGrant
from selfcare.adapters.charging_tanks import lock
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, execute, fetch, insert_many
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.words import _
from selfcare.ports.charging import Delivery
from selfcare.ports.failures import Declined, Unreachable


async def take_back(delivery: Delivery) -> None:
    now = clock.now()
    async with transaction():
        await lock([str(delivery.service_id)], [str(delivery.customer_id)], now)
        for row in await fetch(_PUT.bind(names=[name(delivery, n) for n in range(len(delivery.puts))])):
            if row["back"] is None:
                _check(row)
                await _take_out(row, now)


def used() -> Declined:
    return Declined(_("Some of it has been used already."))


def replaced() -> Declined:
    return Declined(_("It took the place of what was there before, and that cannot be brought back."))


def _check(row: Row) -> None:
    if row["reserved"]:
        raise Unreachable("A call or a session is going on.")
    if row["mode"] == "reset" and row["made_at"] < row["put_at"]:
        raise replaced()
    if row["disabled"] or row["remaining"] < row["amount"] or (row["is_unlimited"] and row["consumed"]):
        raise used()


async def _take_out(row: Row, now: datetime) -> None:
    """Where nothing else was ever put into the bucket, it is gone."""
    off = row["is_unlimited"] or row["granted"] == row["amount"]
    await execute(_LESS.bind(id=row["bucket_id"], amount=row["amount"], off=off, now=now))
    back = {
        "id": new_id(),
        "customer_id": row["customer_id"],
        "bucket_id": row["bucket_id"],
        "amount": -row["amount"],
        "mode": "add",
        "period_start": row["period_start"],
        "period_end": row["period_end"],
        "order_id": row["order_id"],
        "reason": "correction",
        "created_at": now,
        "external_id": f"back_{row['name']}",
    }
    await insert_many(AllowanceGrant, [back])


_PUT = Prepared.sql(
    """
    SELECT g.external_id AS name, g.customer_id AS customer_id, g.bucket_id AS bucket_id, g.amount AS amount,
           g.mode AS mode, g.period_start AS period_start, g.period_end AS period_end, g.order_id AS order_id,
           g.created_at AS put_at, b.created_at AS made_at, b.remaining AS remaining, b.reserved AS reserved,
           b.is_unlimited AS is_unlimited, b.disabled AS disabled, b.consumed AS consumed, b.granted AS granted,
           (SELECT t.id FROM allowance_grant t WHERE t.external_id = 'back_' || g.external_id) AS back
      FROM allowance_grant g JOIN bucket b ON b.id = g.bucket_id AND b.customer_id = g.customer_id
     WHERE g.external_id IN :names ORDER BY g.id
    """
)
_LESS = Prepared.sql(
    """
    UPDATE bucket SET remaining = remaining - :amount, granted = granted - :amount, as_of = :now,
           disabled = disabled OR :off
     WHERE id = :id
    """
)
