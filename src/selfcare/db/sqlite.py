"""Our SQLite engine for Piccolo: kept connections, one writer at a time, and transactions that always end.

Piccolo's own opens a connection per query, begins DEFERRED (which fails under load) and keeps a failed COMMIT open.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from weakref import WeakKeyDictionary

from piccolo.engine.sqlite import SQLiteEngine, SQLiteTransaction, TransactionType
from piccolo.querystring import QueryString

from selfcare.db.connection import Connection, Here
from selfcare.db.engine import (
    Dialect,
    Row,
    Run,
    check_may_run,
    current,
    finish,
    open_transaction,
    refuse_nesting,
    run_callbacks,
)
from selfcare.kernel import clock
from selfcare.kernel.ids import token

KEPT = 8
PATIENT_MS = 600_000


class SQLite(SQLiteEngine):
    dialect: Dialect = "sqlite"

    def __init__(self, path: str, *, busy_timeout_ms: int = 10_000) -> None:
        super().__init__(path=path)
        self.current_transaction = open_transaction
        self.file = Path(path)
        self.busy_timeout_ms = busy_timeout_ms
        self._idle: list[Connection] = []
        self._here: WeakKeyDictionary[asyncio.AbstractEventLoop, Here] = WeakKeyDictionary()
        self._stopped = False
        self._locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        self._seats: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()

    async def start(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        async with self.connection():
            pass

    async def stop(self) -> None:
        self._stopped = True
        while self._idle:
            await self._idle.pop().close()
        if here := self._here.pop(asyncio.get_running_loop(), None):
            here.close_here()

    @property
    def write_lock(self) -> asyncio.Lock:
        """Makes the waiting fair: SQLite's own queue lets some writers starve."""
        return self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        connection = await self.take()
        try:
            yield connection
        finally:
            await finish(self.give_back(connection))

    async def take(self) -> Connection:
        seats = self._seats.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(KEPT))
        await seats.acquire()
        try:
            if self._idle:
                return self._idle.pop()
            return await self._connect()
        except BaseException:
            seats.release()
            raise

    async def give_back(self, connection: Connection, *, clean: bool = False) -> None:
        """`clean`: its transaction has ended, nothing is running on it."""
        try:
            if not clean:
                await connection.call(connection.roll_back_what_is_open)
        except Exception:
            # Closing drops whatever lock the broken connection holds.
            connection.abandon()
        else:
            if self._stopped:
                await connection.close()
            else:
                self._idle.append(connection)
        finally:
            self._seats[asyncio.get_running_loop()].release()

    async def _connect(self, busy_timeout_ms: int | None = None) -> Connection:
        connection = Connection(self.file, busy_timeout_ms or self.busy_timeout_ms)
        try:
            await connection.open()
        except BaseException:
            connection.abandon()
            raise
        return connection

    async def batch_read(self, asked: Sequence[tuple[str, Sequence[Any]]], *, short: bool = False) -> list[list[Row]]:
        """What is `short` runs in the event loop's own thread: for rows found in microseconds a hop costs more."""
        if transaction := current():
            connection: Connection = transaction.connection
            return await connection.call(connection.read, asked)
        if short:
            # Somebody may hold the whole file for a moment: then the wait is worth a thread.
            with suppress(sqlite3.OperationalError):
                return self._connection_here().read(asked)
        connection = await self.take()
        clean = False
        try:
            answers = await connection.call(connection.read, asked)
            clean = True
            return answers
        finally:
            await self._return(connection, clean)

    def _connection_here(self) -> Here:
        loop = asyncio.get_running_loop()
        here = self._here.get(loop)
        if here is None:
            here = Here(self.file, busy_timeout_ms=0)
            here.open_here()
            self._here[loop] = here
        return here

    async def _run(self, sql: str, values: Sequence[Any]) -> list[Row]:
        check_may_run(sql)
        if transaction := current():
            answer: list[Row] = await transaction.rows(sql, values)
            return answer
        connection = await self.take()
        clean = False
        try:
            rows = await connection.execute(sql, values)
            clean = True
            return rows
        finally:
            await self._return(connection, clean)

    async def _return(self, connection: Connection, clean: bool) -> None:
        if clean:
            # Nothing to wait for: no task, no hop.
            await self.give_back(connection, clean=True)
        else:
            await finish(self.give_back(connection))

    async def table_names(self) -> set[str]:
        return {row["name"] for row in await self._run("SELECT name FROM sqlite_master WHERE type = 'table'", ())}

    async def back_up(self) -> Path:
        """A whole copy beside the file, made by SQLite itself: copying the file could tear it."""
        to = self.file.with_name(f"{self.file.name}.{clock.now():%Y%m%dT%H%M%S}-{token()[:6]}.backup")
        async with self.connection() as connection:
            await connection.call(connection.copy_to, to)
        return to

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[Run]:
        """A transaction in which tables may be rebuilt; broken references are looked for at its end."""
        connection = await self._connect(PATIENT_MS)
        try:
            await connection.execute("PRAGMA foreign_keys=OFF")
            await connection.execute("BEGIN IMMEDIATE")
            yield connection.execute
            if broken := await connection.execute("PRAGMA foreign_key_check"):
                raise sqlite3.IntegrityError(f"a row in {broken[0]['table']} refers to nothing")
            await connection.execute("COMMIT")
        finally:
            # Closing rolls back what was not committed.
            await finish(connection.close())

    # What Piccolo calls.

    async def run_querystring(self, querystring: QueryString, in_pool: bool = False) -> list[Row]:
        return await self._run(*querystring.compile_string(engine_type="sqlite"))

    async def run_ddl(self, ddl: str, in_pool: bool = False) -> list[Row]:
        return await self._run(ddl, ())

    def transaction(
        self, transaction_type: TransactionType = TransactionType.immediate, allow_nested: bool = False
    ) -> SQLiteTransaction:
        return Transaction(self, transaction_type)

    def write_transaction(self) -> Transaction:
        return Transaction(self, TransactionType.immediate)

    def read_transaction(self) -> Transaction:
        return Transaction(self, TransactionType.deferred)

    async def get_connection(self) -> Any:
        raise NotImplementedError("batches keep a connection to themselves; read in pages instead")


class Transaction(SQLiteTransaction):
    __slots__ = ("_undo", "afterwards", "done", "readonly")

    engine: SQLite
    connection: Connection

    def __init__(self, engine: SQLite, transaction_type: TransactionType) -> None:
        super().__init__(engine, transaction_type)
        self._parent = None
        self.readonly = transaction_type is TransactionType.deferred
        self.done = False
        self.afterwards: list[Callable[[], None]] = []

    async def __aenter__(self) -> Transaction:
        refuse_nesting()
        async with AsyncExitStack() as undo:
            # A failed or cancelled BEGIN unwinds lock and connection.
            if not self.readonly:
                await undo.enter_async_context(self.engine.write_lock)
            self.connection = await self.engine.take()
            undo.push_async_callback(self._give_back)
            await self.begin()
            self._undo = undo.pop_all()
        self.context = open_transaction.set(self)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> Literal[False]:
        try:
            if kind is None and not self._rolled_back and not self._committed:
                await finish(self.commit())
        finally:
            self.done = True
            open_transaction.reset(self.context)
            try:
                await finish(self._undo.aclose())
            finally:
                if self._committed:
                    run_callbacks(self.afterwards)
        return False

    async def begin(self) -> None:
        await self.connection.call(self.connection.control, f"BEGIN {self.transaction_type.value}")

    async def commit(self) -> None:
        await self.connection.call(self.connection.control, "COMMIT")
        self._committed = True

    async def rollback(self) -> None:
        await self.connection.call(self.connection.control, "ROLLBACK")
        self._rolled_back = True

    async def rows(self, sql: str, values: Sequence[Any]) -> list[Row]:
        return await self.connection.execute(sql, values)

    async def many(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        await self.connection.call(self.connection.run_many, sql, values)

    async def insert(self, table: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
        names = ", ".join(f'"{column}"' for column in columns)
        await self.many(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join("?" * len(columns))})', values)

    async def _give_back(self) -> None:
        await finish(self.engine.give_back(self.connection, clean=self._committed or self._rolled_back))
