"""The demo's clock: turned forward on a page, and kept for the next start."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, execute_many
from selfcare.kernel import clock
from selfcare.settings import Settings

FILE = "clock"
_SQLITE = "sqlite:///"

_LIVING = Prepared.sql(
    """
    UPDATE session SET last_seen_at = last_seen_at
     WHERE revoked_at IS NULL AND ends_at > :now
    RETURNING id_hash, last_seen_at, ends_at
    """
)
_CARRY = Prepared.sql("UPDATE session SET last_seen_at = :seen, ends_at = :ends WHERE id_hash = :id_hash")


async def turn(to: datetime, settings: Settings) -> None:
    """Time goes on from there. Who is signed in stays so; all else is as if that time had passed."""
    delta = to - clock.now()
    async with transaction():
        living = await execute(_LIVING.bind(now=clock.now()))
        carried = [
            {"id_hash": row["id_hash"], "seen": row["last_seen_at"] + delta, "ends": row["ends_at"] + delta}
            for row in living
        ]
        await execute_many(_CARRY, carried)
    clock.travel_to(to)
    if settings.database_url.startswith(_SQLITE):
        keep(Path(settings.database_url.removeprefix(_SQLITE)).parent)


def keep(folder: Path) -> None:
    """For the next start in that folder."""
    (folder / FILE).write_text(str(round(clock.offset().total_seconds())), encoding="ascii")


def take_up(folder: Path) -> None:
    """Where the last start in that folder left it; a fresh folder has the machine's own time."""
    file = folder / FILE
    if file.exists():
        clock.travel_by(timedelta(seconds=int(file.read_text(encoding="ascii"))))
