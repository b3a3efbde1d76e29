from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from selfcare.db.connection import NAME
from selfcare.db.engine import Database, database, in_transaction, is_open
from tests.db.things import CREATE


@pytest.fixture
async def things(database: Database) -> Database:
    """The database with the two tables of `things.py` besides ours."""
    for statement in CREATE:
        await database.engine.run_ddl(statement)
    return database


@pytest.fixture(autouse=True)
def nothing_leaks() -> Iterator[None]:
    before = sqlite_threads()
    yield
    deadline = time.monotonic() + 60
    while sqlite_threads() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sqlite_threads() == before
    assert not is_open()
    assert not in_transaction()


def sqlite_threads() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


async def held(engine: object) -> int:
    """Connections that somebody has taken and not given back. A thread that was told to end gets the time to."""
    deadline = time.monotonic() + 60
    while (many := _held(engine)) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    return many


def _held(engine: object) -> int:
    assert database().engine is engine
    if database().dialect == "sqlite":
        return sqlite_threads() - len(engine._idle)  # type: ignore[attr-defined]
    (pool,) = engine._pools.values()  # type: ignore[attr-defined]
    return int(pool.get_size() - pool.get_idle_size())
