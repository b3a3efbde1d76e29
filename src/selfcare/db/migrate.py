"""Brings the open database to the schema of this code, or back.

A migration is a file `migrations/m0012_charging.py` with ID, DESCRIPTION, FORWARDS and BACKWARDS: tuples of SQL
statements that both databases understand, or `{"sqlite": (...), "postgres": (...)}` where they differ. One run is one
transaction under a lock: all of it happens or nothing, and a second runner waits and finds nothing to do.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from selfcare.db.engine import Dialect, database
from selfcare.kernel import clock
from selfcare.places import folder

Step: TypeAlias = str | Mapping[str, Sequence[str]]

RECORD = """
CREATE TABLE IF NOT EXISTS migration (
    id VARCHAR(8) PRIMARY KEY,
    description VARCHAR(200) NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL
)
"""


class MigrationFailed(Exception):
    """Nothing was changed."""


@dataclass(frozen=True)
class Migration:
    id: str
    description: str
    file: str
    forwards: tuple[Step, ...]
    backwards: tuple[Step, ...]


@dataclass(frozen=True)
class Report:
    applied: tuple[Migration, ...] = ()
    undone: tuple[Migration, ...] = ()
    backup: Path | None = None


async def migrate(*, to: str | None = None) -> Report:
    """Applies what is missing; with `to`, also takes back what is newer ("0000" takes back everything)."""
    known = migrations()
    engine = database().engine
    before = await applied()
    if not _missing(known, before, to) and not _too_new(known, before, to):
        return Report()
    backup = await engine.back_up() if before else None
    async with engine.migrating() as run:
        await run(RECORD)
        done = {row["id"] for row in await run("SELECT id FROM migration")}
        undone = tuple(reversed(_too_new(known, done, to)))
        for migration in undone:
            await _apply(run, migration.file, statements(migration.backwards, engine.dialect))
            await run(f"DELETE FROM migration WHERE id = '{migration.id}'")
        added = tuple(_missing(known, done, to))
        for migration in added:
            await _apply(run, migration.file, statements(migration.forwards, engine.dialect))
            await run(
                "INSERT INTO migration (id, description, applied_at) "
                f"VALUES ('{migration.id}', '{migration.description}', '{clock.now().isoformat(sep=' ')}')"
            )
    return Report(added, undone, backup)


async def pending() -> list[Migration]:
    """What `migrate` would apply."""
    return _missing(migrations(), await applied(), None)


async def applied() -> set[str]:
    engine = database().engine
    if "migration" not in await engine.table_names():
        return set()
    (rows,) = await engine.batch_read([("SELECT id FROM migration", ())])
    return {row["id"] for row in rows}


def migrations(place: Path | None = None) -> list[Migration]:
    found = [_load(path) for path in sorted((place or folder("migrations")).glob("m[0-9]*.py"))]
    if len({migration.id for migration in found}) != len(found):
        raise MigrationFailed("two migrations have the same ID")
    return found


def statements(steps: Sequence[Step], dialect: Dialect) -> Iterator[str]:
    for step in steps:
        if isinstance(step, str):
            yield step
        else:
            yield from step.get(dialect, ())


def _load(path: Path) -> Migration:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not path.stem.startswith(f"m{module.ID}_"):
        raise MigrationFailed(f"{path.name} says ID {module.ID!r}: the name must begin with m{module.ID}_")
    if not module.DESCRIPTION.replace(" ", "").replace(",", "").replace("-", "").isalnum():
        raise MigrationFailed(f"{path.name}: DESCRIPTION is plain words")
    return Migration(module.ID, module.DESCRIPTION, path.name, tuple(module.FORWARDS), tuple(module.BACKWARDS))


def _missing(known: list[Migration], done: set[str], to: str | None) -> list[Migration]:
    if unknown := done - {migration.id for migration in known}:
        raise MigrationFailed(f"this database was changed by a newer version ({max(unknown)}); install that version")
    return [migration for migration in known if migration.id not in done and (to is None or migration.id <= to)]


def _too_new(known: list[Migration], done: set[str], to: str | None) -> list[Migration]:
    return [migration for migration in known if to is not None and migration.id in done and migration.id > to]


async def _apply(run: Any, file: str, sql: Iterator[str]) -> None:
    for statement in sql:
        try:
            await run(statement)
        except Exception as error:
            first_line = " ".join(statement.split())[:80]
            raise MigrationFailed(f"{file}: {error} (in: {first_line}…). Nothing was changed.") from error
