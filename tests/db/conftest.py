from __future__ import annotations

import threading
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
    assert sqlite_threads() == before
    assert not is_open()
    assert not in_transaction()


def sqlite_threads() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


def held(engine: object) -> int:
    """Connections that somebody has taken and not given back."""
    assert database().engine is engine
    if database().dialect == "sqlite":
        return sqlite_threads() - len(engine._idle)  # type: ignore[attr-defined]
    (pool,) = engine._pools.values()  # type: ignore[attr-defined]
    return int(pool.get_size() - pool.get_idle_size())
