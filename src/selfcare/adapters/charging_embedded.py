"""The charging system in the portal's own database: no other machine, on SQLite and on PostgreSQL. It does not rate:
what something costs comes with the use."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from uuid import UUID

from selfcare.adapters import charging_counting as counting
from selfcare.adapters import charging_crediting as crediting
from selfcare.adapters import charging_moving as moving
from selfcare.adapters import charging_reading as reading
from selfcare.adapters import charging_returning as returning
from selfcare.adapters import charging_thin
from selfcare.db.engine import Duplicate
from selfcare.kernel import clock
from selfcare.ports.charging import (
    Asked,
    Balances,
    DayUse,
    Delivery,
    Handover,
    Health,
    Plan,
    Put,
    Records,
    Refused,
    Taken,
    Tenant,
    Thin,
    Use,
)
from selfcare.ports.jobs import Jobs

# A transaction of so many holds other writers up for some 100 ms.
AT_ONCE = 1_000
TRIES = 5


class EmbeddedCharging:
    def __init__(self, jobs: Jobs | None = None) -> None:
        """`jobs` hears which lines may have run low."""
        self._jobs = jobs

    async def balances(self, who: Tenant, service_ids: Collection[UUID] | None = None) -> Balances:
        return await reading.balances(who, service_ids)

    async def look(self, who: Tenant, service_id: UUID) -> None:
        """Our figures are never old."""

    async def revision(self, who: Tenant, service_ids: Collection[UUID] | None = None) -> str:
        return await reading.revision(who, service_ids)

    async def records(self, who: Tenant, asked: Asked, *, after: str | None = None, limit: int = 25) -> Records:
        return await reading.records(who, asked, after=after, limit=limit)

    async def history(self, who: Tenant, asked: Asked, *, zone: str) -> list[DayUse]:
        return await reading.history(who, asked, zone=zone)

    async def credit(self, delivery: Delivery) -> None:
        await crediting.credit(delivery)

    def cannot_hold(self, put: Put) -> str | None:
        return crediting.cannot_hold(put)

    async def was_applied(self, delivery: Delivery) -> bool:
        return await crediting.was_applied(delivery)

    async def take_back(self, delivery: Delivery) -> None:
        await returning.take_back(delivery)

    async def plan(self, who: Tenant, service_id: UUID) -> Plan | None:
        return await reading.plan(who, service_id)

    async def take(self, uses: Sequence[Use]) -> Taken:
        """In transactions of a bounded size: what was counted before something breaks stays counted."""
        answer = Taken()
        for start in range(0, len(uses), AT_ONCE):
            part = await self._take(uses[start : start + AT_ONCE])
            refused = tuple(Refused(start + each.at, each.id, each.why) for each in part.refused)
            answer = Taken(
                answer.counted + part.counted,
                answer.repeated + part.repeated,
                answer.refused + refused,
                answer.services | part.services,
            )
            await asyncio.sleep(0)
        return answer

    async def hand_over(self, move: Handover) -> None:
        await moving.hand_over(move)

    async def thin(self, *, after: UUID | None = None, most: int = 500) -> list[Thin]:
        return await charging_thin.thin(after, most)

    async def looked_at(self, lines: Collection[Thin]) -> None:
        await charging_thin.looked_at(lines)

    async def health(self) -> Health:
        return Health(True, answered_at=clock.now())

    async def _take(self, uses: Sequence[Use]) -> Taken:
        for tried in range(1, TRIES + 1):
            try:
                return await counting.take(uses, self._jobs)
            except Duplicate:
                # Somebody counted one of these meanwhile: the next look finds it.
                if tried == TRIES:
                    raise
        raise AssertionError
