"""Reads and adds to the history of settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.kernel import clock, ids
from selfcare.live.tables import SettingChange

_MARK = Prepared.sql("SELECT revision, id FROM setting_change ORDER BY revision DESC LIMIT 1")
_LATEST = Prepared.sql(
    """
    SELECT c.name AS name, c.value AS value, c.revision AS revision, c.changed_at AS changed_at,
           u.display_name AS changed_by
      FROM setting_change c LEFT JOIN app_user u ON u.id = c.changed_by
     WHERE c.revision = (SELECT max(d.revision) FROM setting_change d WHERE d.name = c.name)
    """
)
_HISTORY = Prepared.sql(
    """
    SELECT c.name AS name, c.value AS value, c.was AS was, c.changed_at AS changed_at, u.display_name AS changed_by
      FROM setting_change c LEFT JOIN app_user u ON u.id = c.changed_by
     WHERE c.revision < :before ORDER BY c.revision DESC LIMIT :most
    """
)
FIRST = 2**62


@dataclass(frozen=True, slots=True)
class Latest:
    """How a setting came to be what it is. `value` None: it is the default again."""

    value: str | None
    revision: int
    changed_at: datetime
    changed_by: str | None


async def mark() -> tuple[int, UUID] | None:
    """Differs after every change; None while nobody changed anything."""
    row = await fetch_one(_MARK.bind(), short=True)
    return (row["revision"], row["id"]) if row else None


async def latest() -> dict[str, Latest]:
    return {row.pop("name"): Latest(**row) for row in await fetch(_LATEST.bind())}


async def history(most: int) -> list[dict[str, Any]]:
    """The newest first."""
    return await fetch(_HISTORY.bind(before=FIRST, most=most))


async def write(changed_by: UUID, values: Mapping[str, str | None], *, was: Mapping[str, str]) -> int:
    """Inside a transaction; the revision they have now. Raises Duplicate when somebody saves at this very moment."""
    newest = await mark()
    revision = newest[0] if newest else 0
    for name, value in values.items():
        revision += 1
        await SettingChange.insert(
            SettingChange(
                revision=revision,
                id=ids.new_id(),
                name=name,
                value=value,
                was=was.get(name),
                changed_by=changed_by,
                changed_at=clock.now(),
            )
        )
    return revision
