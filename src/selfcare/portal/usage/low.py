"""What ran low: told once for each time something was put in, and once more when it is used up.

Whoever wants to know follows: `background.registry` lists the followers of `tell`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.jobs.registry import Handler, Job
from selfcare.kernel import clock
from selfcare.portal.usage.allowances import Allowance, summarise
from selfcare.ports.charging import Balances, Charging, Granted
from selfcare.ports.jobs import Jobs, Json

TELL = "usage.low"
WATCHED = frozenset({"data", "voice", "sms", "money"})

_OWNERS = Prepared.sql("SELECT id, customer_id FROM service WHERE id IN :ids AND state = 'active'")
_NOTE = Prepared.sql(
    """
    INSERT INTO usage_low (service_id, kind, customer_id, level, armed_at, told_at)
    VALUES (:service_id, :kind, :customer_id, :level, :armed_at, :now)
    ON CONFLICT (service_id, kind) DO UPDATE
       SET level = excluded.level, armed_at = excluded.armed_at, told_at = excluded.told_at
     WHERE excluded.armed_at > usage_low.armed_at
        OR (excluded.armed_at = usage_low.armed_at AND usage_low.level = 'low' AND excluded.level = 'used_up')
    RETURNING service_id
    """
)


@dataclass(frozen=True, slots=True)
class Low:
    """`left` in the unit of the kind, as it was when it was noticed: look again before doing anything that costs."""

    customer_id: UUID
    service_id: UUID
    kind: str
    is_used_up: bool
    left: int
    armed_at: datetime

    @property
    def level(self) -> str:
        return "used_up" if self.is_used_up else "low"

    @property
    def key(self) -> str:
        return f"{TELL}/{self.service_id}/{self.kind}/{self.level}/{self.armed_at.isoformat()}"

    @property
    def payload(self) -> Mapping[str, Json]:
        return {
            "customer_id": str(self.customer_id),
            "service_id": str(self.service_id),
            "kind": self.kind,
            "is_used_up": self.is_used_up,
            "left": self.left,
            "armed_at": self.armed_at.isoformat(),
        }

    @staticmethod
    def of(payload: Mapping[str, Any]) -> Low:
        return Low(
            customer_id=UUID(payload["customer_id"]),
            service_id=UUID(payload["service_id"]),
            kind=payload["kind"],
            is_used_up=payload["is_used_up"],
            left=payload["left"],
            armed_at=datetime.fromisoformat(payload["armed_at"]),
        )


Follower: TypeAlias = Callable[[Low], Awaitable[None]]
Looker: TypeAlias = Callable[[list[UUID]], Awaitable[None]]


def tell(followers: Sequence[Follower]) -> Handler:
    """A follower may hear of the same twice: when one after it failed."""

    async def tell_all(job: Job) -> None:
        low = Low.of(job.payload)
        for follower in followers:
            await follower(low)

    return tell_all


class Watch:
    """Looks at the lines that a count says may be low."""

    def __init__(self, charging: Charging, jobs: Jobs, others: Sequence[Looker] = ()) -> None:
        """`others` look at the same lines with rules of their own."""
        self.charging = charging
        self.jobs = jobs
        self.others = others

    async def look(self, _job: Job) -> None:
        after: UUID | None = None
        while some := await self.charging.thin(after=after):
            ids = [line.service_id for line in some]
            await self._look_at(ids)
            for look in self.others:
                await look(ids)
            await self.charging.looked_at(some)
            after = some[-1].service_id

    async def _look_at(self, ids: list[UUID]) -> None:
        lines: dict[UUID, list[UUID]] = {}
        for row in await fetch(_OWNERS.bind(ids=ids)):
            lines.setdefault(row["customer_id"], []).append(row["id"])
        for customer_id, services in lines.items():
            balances = await self.charging.balances(_Whole(customer_id), services)
            found = [low for id in services for low in low_of(customer_id, id, balances, clock.now())]
            if found and not balances.stale:
                await self._note(found)

    async def _note(self, found: list[Low]) -> None:
        async with transaction():
            for low in found:
                noted = _NOTE.bind(
                    service_id=low.service_id,
                    kind=low.kind,
                    customer_id=low.customer_id,
                    level=low.level,
                    armed_at=low.armed_at,
                    now=clock.now(),
                )
                if await execute(noted):
                    await self.jobs.enqueue(TELL, key=low.key, payload=low.payload)


def low_of(customer_id: UUID, service_id: UUID, balances: Balances, now: datetime) -> Iterator[Low]:
    for line in summarise(balances.of(service_id), balances.grants, now):
        if line.kind in WATCHED and line.scope == "any" and line.buckets and (line.is_low or line.is_used_up):
            armed_at = _armed_at(line, balances.grants, now)
            yield Low(customer_id, service_id, line.kind, line.is_used_up, line.left, armed_at)


def _armed_at(line: Allowance, grants: Sequence[Granted], now: datetime) -> datetime:
    """When something was last put in: a top-up or a renewal makes it worth telling again."""
    buckets = {place.bucket.id: place.bucket for place in line.buckets}
    put_in = [bucket.period_start or bucket.created_at for bucket in buckets.values()]
    put_in += [grant.period_start for grant in grants if grant.bucket_id in buckets]
    return max(at for at in put_in if at <= now)


@dataclass(frozen=True, slots=True)
class _Whole:
    """Nobody is asking: all of the customer's."""

    customer_id: UUID
    service_ids: frozenset[UUID] | None = None
