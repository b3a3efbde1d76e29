"""The rows of the jobs and every move they make. A move of a job that is held names the lease it is held by."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.db.engine import Row, dialect, transaction
from selfcare.db.prepared import Prepared, as_json, as_moment, execute, fetch
from selfcare.jobs.registry import Job
from selfcare.jobs.schedule import Recurring, Schedule
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.ids import new_id
from selfcare.ports.jobs import NORMAL, GivenUp, Json

LONGEST_ERROR = 2_000
# A time further away than the schedule would ever set it: somebody turned the clock back.
TURNED_BACK = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Held:
    """A job and the lease it is held by."""

    job: Job
    lease: UUID


async def add(
    kind: str,
    *,
    key: str,
    payload: Mapping[str, Json],
    run_at: datetime | None = None,
    priority: int = NORMAL,
) -> bool:
    """False where the key is known."""
    added = await execute(
        ADD.bind(
            id=new_id(),
            kind=kind,
            key=key,
            payload=dict(payload),
            run_at=run_at,
            priority=priority,
            created_at=clock.now(),
        )
    )
    return bool(added)


ADD = Prepared.sql(
    """
    INSERT INTO job (id, kind, key, payload, run_at, priority, attempts, created_at)
    VALUES (:id, :kind, :key, :payload, :run_at, :priority, 0, :created_at)
    ON CONFLICT (key) DO NOTHING RETURNING id
    """
)


async def claim(kinds: Sequence[str], *, most: int, lease: timedelta, not_these: Collection[UUID] = ()) -> list[Held]:
    """Holds up to `most` jobs that are due, the most urgent first, and counts a try for each."""
    now, token = clock.now(), new_id()
    asked: dict[str, Any] = {"kinds": list(kinds), "now": now, "not_these": list(not_these), "most": most}
    # Looking takes no lock; most looks find nothing.
    if not await fetch(ANY_DUE.bind(**{**asked, "most": 1})):
        return []
    statement = CLAIM if dialect() == "sqlite" else CLAIM_SKIPPING
    async with transaction():
        rows = await execute(statement.bind(**asked, lease=token, until=now + lease))
    rows.sort(key=lambda row: (row["priority"], row["id"]))
    return [Held(Job(row["id"], row["kind"], row["key"], row["payload"], row["attempts"]), token) for row in rows]


DUE = """
    SELECT id FROM job
    WHERE done_at IS NULL AND given_up_at IS NULL AND kind IN :kinds
        AND (run_at IS NULL OR run_at <= :now) AND (locked_until IS NULL OR locked_until <= :now)
        AND id NOT IN :not_these
    ORDER BY priority, id LIMIT :most
"""
HOLD = """
    UPDATE job SET locked_by = :lease, locked_until = :until, attempts = attempts + 1
    WHERE {among} RETURNING id, kind, key, payload, attempts, priority
"""
ANY_DUE = Prepared.sql(DUE)
CLAIM = Prepared.sql(HOLD.format(among=f"id IN ({DUE})"), types={"payload": as_json})
# An array is made once. Of `IN`, PostgreSQL may make a join, look again and hold more than asked for.
CLAIM_SKIPPING = Prepared.sql(
    HOLD.format(among=f"id = ANY (ARRAY({DUE} FOR UPDATE SKIP LOCKED))"), types={"payload": as_json}
)


async def next_at(kinds: Sequence[str]) -> datetime | None:
    """When something that waits for its time is due."""
    (row,) = await fetch(NEXT.bind(kinds=list(kinds)))
    moment: datetime | None = row["next"]
    return moment


NEXT = Prepared.sql(
    """
    SELECT min(run_at) AS next FROM job
    WHERE done_at IS NULL AND given_up_at IS NULL AND locked_by IS NULL AND kind IN :kinds
    """,
    types={"next": as_moment},
)


async def finish(held: Held) -> bool:
    """False where the lease was lost, as with every move below."""
    return await _move(DONE, held, now=clock.now())


async def fail(held: Held, error: str, *, again_at: datetime) -> bool:
    return await _move(FAILED, held, error=error[:LONGEST_ERROR], at=again_at)


async def give_up(held: Held, error: str) -> bool:
    return await _move(GIVEN_UP, held, error=error[:LONGEST_ERROR], now=clock.now())


async def postpone(held: Held, at: datetime) -> bool:
    return await _move(POSTPONED, held, at=at)


async def release(held: Held) -> bool:
    """Not our turn any more: somebody else may begin at once, and the try did not count."""
    return await _move(RELEASED, held)


async def renew(held: Held, lease: timedelta) -> bool:
    return await _move(RENEWED, held, until=clock.now() + lease)


async def _move(statement: Prepared, held: Held, **values: Any) -> bool:
    async with transaction():
        moved = await execute(statement.bind(id=held.job.id, lease=held.lease, **values))
    return bool(moved)


LET_GO = "locked_by = NULL, locked_until = NULL"
IF_HELD = "WHERE id = :id AND locked_by = :lease RETURNING id"
DONE = Prepared.sql(f"UPDATE job SET done_at = :now, {LET_GO} {IF_HELD}")
FAILED = Prepared.sql(f"UPDATE job SET run_at = :at, last_error = :error, {LET_GO} {IF_HELD}")
GIVEN_UP = Prepared.sql(f"UPDATE job SET given_up_at = :now, last_error = :error, {LET_GO} {IF_HELD}")
POSTPONED = Prepared.sql(f"UPDATE job SET run_at = :at, attempts = attempts - 1, {LET_GO} {IF_HELD}")
RELEASED = Prepared.sql(f"UPDATE job SET attempts = attempts - 1, {LET_GO} {IF_HELD}")
RENEWED = Prepared.sql(f"UPDATE job SET locked_until = :until {IF_HELD}")


async def held_too_long(lease: timedelta) -> dict[UUID, datetime]:
    """Leases that end later than any that is taken now: from before the clock was turned back."""
    rows = await fetch(TOO_LONG.bind(latest=clock.now() + lease + TURNED_BACK))
    return {row["id"]: row["locked_until"] for row in rows}


async def free(leases: Mapping[UUID, datetime]) -> None:
    """Those of these leases that were not renewed since."""
    async with transaction():
        for id, until in leases.items():
            await execute(FREE.bind(id=id, until=until))


TOO_LONG = Prepared.sql("SELECT id, locked_until FROM job WHERE locked_until > :latest AND done_at IS NULL LIMIT 100")
FREE = Prepared.sql(f"UPDATE job SET {LET_GO} WHERE id = :id AND locked_until = :until")


async def list_given_up(limit: int) -> list[GivenUp]:
    return [
        GivenUp(row["key"], row["kind"], row["attempts"], row["last_error"], row["created_at"], row["given_up_at"])
        for row in await fetch(LIST_GIVEN_UP.bind(most=limit))
    ]


LIST_GIVEN_UP = Prepared.sql(
    """
    SELECT key, kind, attempts, last_error, created_at, given_up_at FROM job
    WHERE given_up_at IS NOT NULL ORDER BY given_up_at DESC, id DESC LIMIT :most
    """
)


async def offer_again(key: str) -> None:
    if not await execute(OFFER.bind(key=key)):
        raise NotFound


OFFER = Prepared.sql(
    """
    UPDATE job SET given_up_at = NULL, run_at = NULL, attempts = 0
    WHERE key = :key AND given_up_at IS NOT NULL RETURNING id
    """
)


async def fire(schedule: Schedule) -> int:
    """Enqueues what recurs and is due; how many. Of several processes one wins each time."""
    now = clock.now()
    rows = await fetch(TIMES.bind())
    times = {row["kind"]: row["next_at"] for row in rows}
    return sum([await _fire(entry, times.get(entry.kind), now) for entry in schedule if _is_due(entry, times, now)])


def _is_due(entry: Recurring, times: Mapping[str, datetime], now: datetime) -> bool:
    known = times.get(entry.kind)
    return known is None or known <= now or known > entry.after(now) + TURNED_BACK


async def _fire(entry: Recurring, seen: datetime | None, now: datetime) -> bool:
    added = False
    following = entry.after(now)
    async with transaction():
        if seen is None:
            await execute(FIRST_TIME.bind(kind=entry.kind, next=following))
        elif await execute(MOVE_ON.bind(kind=entry.kind, seen=seen, next=following)):
            # What is still waiting or at work is not started a second time beside itself.
            busy = await fetch(OPEN.bind(kind=entry.kind))
            if seen <= now and not busy:
                added = await add(entry.kind, key=f"{entry.kind}@{seen.isoformat()}", payload={})
    return added


TIMES = Prepared.sql("SELECT kind, next_at FROM job_schedule")
FIRST_TIME = Prepared.sql(
    "INSERT INTO job_schedule (kind, next_at) VALUES (:kind, :next) ON CONFLICT (kind) DO NOTHING"
)
MOVE_ON = Prepared.sql("UPDATE job_schedule SET next_at = :next WHERE kind = :kind AND next_at = :seen RETURNING kind")
OPEN = Prepared.sql("SELECT id FROM job WHERE kind = :kind AND done_at IS NULL AND given_up_at IS NULL LIMIT 1")


async def forget(*, done_before: datetime, given_up_before: datetime, most: int) -> int:
    """Removes up to `most` old rows; how many."""
    async with transaction():
        rows: list[Row] = await execute(FORGET.bind(done=done_before, given_up=given_up_before, most=most))
    return len(rows)


FORGET = Prepared.sql(
    """
    DELETE FROM job WHERE id IN (
        SELECT id FROM job WHERE done_at < :done OR given_up_at < :given_up LIMIT :most
    ) RETURNING id
    """
)
