"""A fresh database for every test: filled once as a template, then copied."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TypeAlias

from selfcare.db.engine import Database, open_database, transaction
from selfcare.db.migrate import migrate
from selfcare.db.prepared import Prepared, execute
from tests.support import postgres

KINDS = ("sqlite",) if os.environ.get("SELFCARE_TEST_WITHOUT_POSTGRES") == "1" else ("sqlite", "postgres")
Fill: TypeAlias = Callable[[], Awaitable[object]]

_numbers = count()


async def change(statement: Prepared | str, **values: object) -> None:
    """One statement by hand, committed."""
    prepared = Prepared.sql(statement) if isinstance(statement, str) else statement
    async with transaction():
        await execute(prepared.bind(**values))


class Templates:
    """`place` belongs to this worker; the PostgreSQL server is shared by all."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def prepare(self, kind: str, name: str, fill: Fill) -> None:
        """Fills the template unless it is there. `fill` runs with the new database open."""
        assert kind in KINDS, f"{kind!r} is no database: a test that has a parameter of that name calls it otherwise"
        if kind == "sqlite":
            file = self.place / f"{name}.db"
            if not file.exists():
                asyncio.run(_fill(f"sqlite:///{file}", fill))
            return
        with postgres.locked():
            names = {row["datname"] for row in postgres.admin_now("SELECT datname FROM pg_database")}
            if name not in names:
                postgres.admin_now(f"CREATE DATABASE {name}_new")
                asyncio.run(_fill(postgres.url(f"{name}_new"), fill))
                # Under its own name only when it is whole.
                postgres.admin_now(f"ALTER DATABASE {name}_new RENAME TO {name}")

    @asynccontextmanager
    async def copy(self, kind: str, name: str | None, place: Path) -> AsyncIterator[str]:
        """The URL of a copy; of an empty database without a name. It is gone afterwards."""
        if kind == "sqlite":
            file = place / "selfcare.db"
            if name is not None:
                shutil.copyfile(self.place / f"{name}.db", file)
            yield f"sqlite:///{file}"
            return
        if name is None:
            with postgres.locked():
                pass
        copy = f"test_{os.getpid()}_{next(_numbers)}"
        await postgres.copy(name or "template0", copy)
        try:
            yield postgres.url(copy)
        finally:
            postgres.drop(copy)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = await open_database(url)
    try:
        yield database
    finally:
        await database.close()


async def _fill(url: str, fill: Fill) -> None:
    async with opened(url):
        await fill()


async def migrated() -> None:
    await migrate()
