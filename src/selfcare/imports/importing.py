"""The import itself: all files in one transaction, or nothing."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from sqlite3 import IntegrityError as SQLiteRefused

from asyncpg.exceptions import IntegrityConstraintViolationError as PostgresRefused

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Duplicate, Tx, dialect, transaction
from selfcare.imports.files import BY_NAME, FILES
from selfcare.imports.jobs import INVITE
from selfcare.imports.problems import Problem, Refused, TooMany
from selfcare.imports.work import Counts, Import, Progress
from selfcare.kernel import clock
from selfcare.ports.jobs import Jobs

INVITED_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Report:
    files: dict[str, Counts]
    invited: int

    def __str__(self) -> str:
        lines = [
            f"{file:<15} {counts.rows:>10,} rows: {counts.added:,} added, {counts.changed:,} changed, "
            f"{counts.unchanged:,} as they were"
            + (f", {counts.erased:,} left out: erased people, who are not brought back" if counts.erased else "")
            for file, counts in self.files.items()
        ]
        if self.invited:
            lines.append(f"{self.invited:,} people are invited by mail.")
        return "\n".join(lines)


async def import_folder(
    folder: Path,
    jobs: Jobs,
    *,
    currency: str,
    zone: str,
    progress: Progress,
    keys: Sequence[bytes],
    invite: bool = True,
    keep: bool = True,
) -> Report:
    """Raises Refused, with nothing imported, when anything is wrong. `keep=False` only checks."""
    _refuse_other_files(folder)
    # Millions of small objects and no circles among them: looking for circles costs a seventh of the time.
    gc.disable()
    try:
        async with transaction() as tx:
            await _make_room(tx)
            work = Import(tx, folder, currency, zone, clock.now(), progress, keys)
            try:
                await _all_of(work)
                invited = await _invite(work, jobs) if invite else 0
                await _write_down(work)
                if not keep:
                    raise _Checked
            finally:
                work.seen.close()
    except _Checked:
        invited = 0
    finally:
        gc.enable()
    return Report(work.counts, invited)


class _Checked(Exception):
    """Takes everything back although nothing is wrong."""


async def _all_of(work: Import) -> None:
    more = False
    try:
        await work.take_all()
    except TooMany:
        more = True
    except (Duplicate, SQLiteRefused, PostgresRefused) as error:
        file = BY_NAME[list(work.counts)[-1]].csv
        raise Refused(
            [*work.problems.found, Problem(file, 0, 0, "", f"the database refused a row: {error}")]
        ) from error
    if found := work.problems.found:
        order = [file.csv for file in FILES]
        raise Refused(
            sorted(found, key=lambda each: (order.index(each.file), each.line, each.column or 999)), more=more
        )


async def _invite(work: Import, jobs: Jobs) -> int:
    """In the transaction of the import: invited is who is there."""
    for n in range(0, len(work.new_users), INVITED_AT_ONCE):
        some = work.new_users[n : n + INVITED_AT_ONCE]
        await jobs.enqueue(INVITE, key=f"{INVITE}/{some[0]}", payload={"user_ids": some})
    return len(work.new_users)


async def _write_down(work: Import) -> None:
    for file, counts in work.counts.items():
        if counts.touched:
            await audit.record(
                audit.SYSTEM,
                Event.FEEDS_IMPORTED,
                file=file,
                rows=counts.rows,
                added=counts.added,
                changed=counts.changed,
            )


async def _make_room(tx: Tx) -> None:
    """An import is no page: it may take its time, and it writes a lot at once."""
    if dialect() == "sqlite":
        await tx.rows("PRAGMA cache_size = -256000", ())
    else:
        await tx.rows("SET LOCAL statement_timeout = 0", ())
        await tx.rows("SET LOCAL idle_in_transaction_session_timeout = 0", ())


def _refuse_other_files(folder: Path) -> None:
    known = {file.csv for file in FILES}
    there = sorted(path.name for path in folder.glob("*.csv")) if folder.is_dir() else []
    if not set(there) & known:
        raise Refused(
            [Problem(str(folder), 0, 0, "", f"there is no file to import; known are {', '.join(sorted(known))}")]
        )
    others = [name for name in there if name not in known]
    if others:
        message = f"this file is not known; known are {', '.join(sorted(known))}"
        raise Refused([Problem(name, 0, 0, "", message) for name in others])
