"""Which database is open, and the transactions on it.

Every Piccolo table of the process uses the database that `open_database` opened last; one at a time.
Write only inside `transaction()`: short, no network call, no new task.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from piccolo.engine.exceptions import TransactionError
from piccolo.table import TABLE_REGISTRY

Dialect: TypeAlias = Literal["sqlite", "postgres"]
Row: TypeAlias = dict[str, Any]
Run: TypeAlias = Callable[[str], Awaitable[list[Row]]]

log = logging.getLogger(__name__)


class Duplicate(Exception):
    """A row with this unique value exists. On PostgreSQL the transaction it happened in is dead from here on."""


class Tx(Protocol):
    """An open transaction, as both engines make it. `connection` is the driver's."""

    connection: Any
    readonly: bool
    done: bool
    afterwards: list[Callable[[], None]]

    async def __aenter__(self) -> Tx: ...
    async def __aexit__(self, *error: Any) -> Literal[False]: ...
    async def rows(self, sql: str, values: Sequence[Any]) -> list[Row]: ...
    async def many(self, sql: str, values: Sequence[Sequence[Any]]) -> None: ...
    async def insert(self, table: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None: ...


class OurEngine(Protocol):
    """What the two engines can do beyond Piccolo's own."""

    dialect: Dialect

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    def write_transaction(self) -> Tx: ...
    def read_transaction(self) -> Tx: ...
    async def batch_read(
        self, asked: Sequence[tuple[str, Sequence[Any]]], *, short: bool = False
    ) -> list[list[Row]]: ...
    async def table_names(self) -> set[str]: ...
    async def back_up(self) -> Path | None: ...
    def migrating(self) -> AbstractAsyncContextManager[Run]: ...


# A child task inherits this variable: `current()` asks whether the transaction is still open.
open_transaction: ContextVar[Any] = ContextVar("open_transaction", default=None)
_database: Database | None = None


class Database:
    def __init__(self, url: str, engine: OurEngine) -> None:
        self.url = url
        self.engine = engine
        self.opened = 0

    @property
    def dialect(self) -> Dialect:
        return self.engine.dialect

    async def close(self) -> None:
        """As often as it was opened; the last one closes every connection."""
        global _database
        self.opened -= 1
        if self.opened > 0 or _database is not self:
            return
        _database = None
        _bind(None)
        await self.engine.stop()


async def open_database(url: str) -> Database:
    """`sqlite:///relative/path.db`, `sqlite:////absolute/path.db` or `postgres://…`."""
    global _database
    if _database is not None:
        if _database.url != url:
            raise RuntimeError("another database is open in this process; close it first")
        _database.opened += 1
        return _database
    engine = make_engine(url)
    await engine.start()
    _database = Database(url, engine)
    _database.opened = 1
    # For tables that are imported later: Piccolo looks here the first time they are used.
    os.environ["PICCOLO_CONF"] = "selfcare.db.piccolo_conf"
    _bind(engine)
    return _database


def make_engine(url: str) -> Any:
    """The engine for a URL, not started. Each driver is loaded only where it is used."""
    if url.startswith("sqlite:///"):
        from selfcare.db.sqlite import SQLite

        return SQLite(url.removeprefix("sqlite:///"))
    if url.startswith(("postgres://", "postgresql://")):
        from selfcare.db.postgres import Postgres

        return Postgres(url)
    raise ValueError("the database URL must start with sqlite:/// or postgres://")


def database() -> Database:
    if _database is None:
        raise RuntimeError("no database is open")
    return _database


def is_open() -> bool:
    return _database is not None


def dialect() -> Dialect:
    return database().dialect


def transaction() -> Tx:
    """Everything inside happens, or nothing does. Does not nest."""
    return database().engine.write_transaction()


def read_transaction() -> Tx:
    """One snapshot for several reads. Does not nest."""
    return database().engine.read_transaction()


def in_transaction() -> bool:
    return current() is not None


def current() -> Any:
    """The open transaction, or None. A task started inside a transaction stops seeing it when it ends."""
    transaction = open_transaction.get()
    return None if transaction is None or transaction.done else transaction


def after_commit(callback: Callable[[], None]) -> None:
    """Runs once after the commit, never after a rollback; at once where no transaction is open."""
    transaction = current()
    if transaction is None:
        callback()
    else:
        transaction.afterwards.append(callback)


def refuse_nesting() -> None:
    if in_transaction():
        raise TransactionError("transactions do not nest")


def check_may_run(sql: str) -> None:
    """A lone write would go past the write lock, and one in a read transaction past the promise."""
    if not writes(sql):
        return
    transaction = current()
    if transaction is None or transaction.readonly:
        raise TransactionError("write inside `async with transaction()`")


def writes(sql: str) -> bool:
    return sql.lstrip()[:8].upper().startswith(("INSERT", "UPDATE", "DELETE", "REPLACE"))


def run_callbacks(callbacks: Sequence[Callable[[], None]]) -> None:
    for callback in callbacks:
        try:
            callback()
        except Exception:
            log.exception("a callback after a commit failed")


async def finish(work: Any) -> Any:
    """Waits for the end of `work` even when the caller is cancelled meanwhile, then lets the cancellation go on."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                continue
            except Exception:
                break
        raise


def _bind(engine: Any) -> None:
    for table in TABLE_REGISTRY:
        table._meta._db = engine
