"""What ended is taken off at the network too: removed, replaced, or over by itself.

A job of the network's for each, by an id that follows from the add-on: asked again and again until it is done. One that
failed for good is begun anew under the next id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.jobs.registry import Job, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.kernel import clock
from selfcare.ports.failures import Declined, Unknown, Unreachable
from selfcare.ports.provisioning import DONE, FAILED, Action, Provisioning, Work

TAKE_OFF = "addons.take_off"
AT_ONCE = 200
# After so long staff have it on a list.
LATE = timedelta(minutes=10)

_ENDED = Prepared.sql(
    """
    SELECT a.id AS id, a.customer_id AS customer_id, a.service_id AS service_id, a.name AS name, a.ends_at AS ends_at,
           a.take_off_tries AS take_off_tries, p.provisioning_play AS play
      FROM service_addon a JOIN product p ON p.id = a.product_id
     WHERE a.taken_off_at IS NULL AND a.ends_at <= :now
       AND (a.take_off_after IS NULL OR a.take_off_after <= :after)
     ORDER BY a.take_off_tries, a.ends_at, a.id LIMIT :most
    """
)
_GONE = Prepared.sql(
    "UPDATE service_addon SET taken_off_at = :now WHERE id = :id AND taken_off_at IS NULL AND ends_at <= :now"
)
_FAILED = Prepared.sql(
    """
    UPDATE service_addon SET take_off_tries = take_off_tries + 1, take_off_after = :after
     WHERE id = :id AND taken_off_at IS NULL AND take_off_tries = :tries
    """
)


@dataclass(frozen=True, slots=True)
class Lingering:
    """Ended, and still at the network."""

    id: UUID
    customer_id: UUID
    service_id: UUID
    name: str
    ends_at: datetime
    tries: int


async def take_off(network: Provisioning) -> int:
    """How many the network has let go of."""
    gone, now = 0, clock.now()
    for row in await fetch(_ENDED.bind(now=now, after=now, most=AT_ONCE)):
        try:
            status = (await network.start(_work(row))).status
        except Declined:
            status = FAILED
        except Unknown:
            continue
        except Unreachable:
            break
        async with transaction():
            if status == DONE:
                await execute(_GONE.bind(id=row["id"], now=now))
                gone += 1
            elif status == FAILED:
                tries = row["take_off_tries"]
                wait = min(timedelta(minutes=2 ** min(tries, 6)), timedelta(hours=1))
                await execute(_FAILED.bind(id=row["id"], tries=tries, after=now + wait))
    return gone


async def lingering(now: datetime) -> list[Lingering]:
    """For staff: what should be gone by now."""
    rows = await fetch(_ENDED.bind(now=now - LATE, after=now + timedelta(days=1), most=AT_ONCE))
    plain = ("id", "customer_id", "service_id", "name", "ends_at")
    return [Lingering(**{name: row[name] for name in plain}, tries=row["take_off_tries"]) for row in rows]


def add(known: Registry, network: Provisioning) -> None:
    async def take_off_all(_job: Job) -> None:
        await take_off(network)

    known.add(TAKE_OFF, take_off_all)


def repeat(again: Schedule) -> None:
    again.every(TAKE_OFF, timedelta(minutes=1))


def _work(row: Row) -> Work:
    return Work(
        id=uuid5(row["id"], f"take off/{row['take_off_tries']}"),
        customer_id=row["customer_id"],
        service_id=row["service_id"],
        action=Action.REMOVE,
        what=row["name"],
        play=row["play"],
    )
