"""How fast a line is, where the network has told: at full speed up to some amount, or slowed down until a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.kernel import clock

WARN_PERMILLE = 800
_NOBODY = UUID(int=0)

_KNOWN = Prepared.sql(
    """
    SELECT id, customer_id, CAST(id AS TEXT) AS name FROM service WHERE id IN :ids
    UNION ALL
    SELECT id, customer_id, msisdn AS name FROM service WHERE msisdn IN :names AND state <> 'ended'
    """
)
_NOTE = Prepared.sql(
    """
    INSERT INTO line_speed (service_id, customer_id, full_speed_bytes, slow_kbps, slow_until, reported_at)
    VALUES (:service_id, :customer_id, :full_speed_bytes, :slow_kbps, :slow_until, :now)
    ON CONFLICT (service_id) DO UPDATE
       SET full_speed_bytes = COALESCE(excluded.full_speed_bytes, line_speed.full_speed_bytes),
           slow_kbps = excluded.slow_kbps, slow_until = excluded.slow_until, reported_at = excluded.reported_at
    """
)
# Whoever looks at the usage of the line right now sees it.
_COUNT_UP = Prepared.sql("UPDATE usage_meter SET revision = revision + 1, changed_at = :now WHERE service_id = :id")


@dataclass(frozen=True, slots=True)
class Speed:
    """Nothing is claimed that the network did not say: None is unknown, and for `kbps` full speed."""

    full_speed_bytes: int | None = None
    kbps: int | None = None
    until: datetime | None = None

    @classmethod
    def reported(cls, full: int | None, kbps: int | None, until: datetime | None, now: datetime) -> Self:
        """A slowing down whose end has passed is over."""
        over = until is not None and until <= now
        return cls(full, None if over else kbps, None if over else until)

    @property
    def is_slow(self) -> bool:
        return self.kbps is not None

    def is_near(self, used: int | None) -> bool:
        """Most of the full-speed part is used."""
        if self.is_slow or used is None or self.full_speed_bytes is None:
            return False
        return used * 1000 >= self.full_speed_bytes * WARN_PERMILLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Of one line, by our id or its number. `kbps` None is full speed again."""

    line: str
    kbps: int | None = None
    until: datetime | None = None
    full_speed_bytes: int | None = None


async def note(reports: Sequence[Report]) -> set[str]:
    """Writes down what the network says, the latest per line; the lines that nobody knows."""
    names = {report.line for report in reports}
    asked = _KNOWN.bind(names=names, ids=[id for name in names if (id := _id(name))] or [_NOBODY])
    async with transaction():
        known = {row["name"]: row for row in await fetch(asked)} if names else {}
        for report in reports:
            if service := known.get(report.line):
                await _note(service["id"], service["customer_id"], report)
    return names - known.keys()


def _id(name: str) -> UUID | None:
    try:
        return UUID(name) if len(name) == 36 else None
    except ValueError:
        return None


async def _note(service_id: UUID, customer_id: UUID, report: Report) -> None:
    now = clock.now()
    await execute(
        _NOTE.bind(
            service_id=service_id,
            customer_id=customer_id,
            full_speed_bytes=report.full_speed_bytes,
            slow_kbps=report.kbps,
            slow_until=report.until if report.kbps is not None else None,
            now=now,
        )
    )
    await execute(_COUNT_UP.bind(id=service_id, now=now))
