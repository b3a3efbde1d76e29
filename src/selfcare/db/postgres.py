"""Our PostgreSQL engine for Piccolo: a bounded pool with time limits, and transactions that always end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Literal
from weakref import WeakKeyDictionary

import asyncpg
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString

from selfcare.db import counting
from selfcare.db.engine import (
    Dialect,
    Duplicate,
    Row,
    Run,
    check_may_run,
    current,
    finish,
    open_transaction,
    refuse_nesting,
    run_callbacks,
)
from selfcare.kernel.errors import Unavailable

SETTINGS = {
    "statement_timeout": "5000",
    "lock_timeout": "3000",
    "idle_in_transaction_session_timeout": "60000",
    "timezone": "UTC",
    "application_name": "selfcare",
}
LARGEST_POOL = 10
WAIT_SECONDS = 10
# Any number, as long as every version uses the same.
MIGRATION_LOCK = 7_353_216
BUSY_OR_GONE = (
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.DeadlockDetectedError,
    asyncpg.TooManyConnectionsError,
    asyncpg.CannotConnectNowError,
    asyncpg.PostgresConnectionError,
)


class Postgres(PostgresEngine):
    dialect: Dialect = "postgres"

    def __init__(self, url: str) -> None:
        self.url = url
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncpg.Pool[Any]] = WeakKeyDictionary()
        self._opening: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
        super().__init__(config={"dsn": url, "server_settings": SETTINGS})
        self.current_transaction = open_transaction

    async def check_version(self) -> None:
        """Piccolo would connect here, before the server is asked for anything."""

    async def start(self) -> None:
        await self.open_pool()

    async def stop(self) -> None:
        here = asyncio.get_running_loop()
        for loop, pool in list(self._pools.items()):
            if loop is here:
                await pool.close()
            elif not loop.is_closed():
                loop.call_soon_threadsafe(pool.terminate)
        self._pools.clear()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        pool = await self.open_pool()
        try:
            with translating():
                connection = await pool.acquire(timeout=WAIT_SECONDS)
        except (OSError, TimeoutError) as error:
            raise Unavailable() from error
        try:
            yield connection
        finally:
            await pool.release(connection)

    async def open_pool(self) -> asyncpg.Pool[Any]:
        """The pool of the running event loop: asyncpg's connections belong to one."""
        loop = asyncio.get_running_loop()
        if (pool := self._pools.get(loop)) is not None:
            return pool
        async with self._opening.setdefault(loop, asyncio.Lock()):
            if loop not in self._pools:
                self._pools[loop] = await asyncpg.create_pool(
                    self.url,
                    min_size=1,
                    max_size=LARGEST_POOL,
                    server_settings=SETTINGS,
                    timeout=WAIT_SECONDS,
                    # No session state is ever changed, so the round trip that would reset it is saved.
                    reset=_keep,
                )
        return self._pools[loop]

    async def batch_read(self, asked: Sequence[tuple[str, Sequence[Any]]], *, short: bool = False) -> list[list[Row]]:
        if transaction := current():
            return [await transaction.rows(sql, values) for sql, values in asked]
        async with self.connection() as connection:
            if len(asked) == 1:
                return [await rows(connection, *asked[0])]
            # Its BEGIN and its COMMIT are asked of a server too.
            with translating():
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    return [await rows(connection, sql, values) for sql, values in asked]

    async def _run(self, sql: str, values: Sequence[Any]) -> list[Row]:
        check_may_run(sql)
        if transaction := current():
            answer: list[Row] = await transaction.rows(sql, values)
            return answer
        async with self.connection() as connection:
            return await rows(connection, sql, values)

    async def table_names(self) -> set[str]:
        found = await self._run("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()", ())
        return {row["tablename"] for row in found}

    async def back_up(self) -> None:
        """The operator's own backup covers the server; DDL is undone with the transaction."""

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[Run]:
        async with self.write_transaction() as transaction:

            async def run(sql: str) -> list[Row]:
                return await transaction.rows(sql, ())

            await run("SET LOCAL statement_timeout = 0")
            await run("SET LOCAL lock_timeout = 0")
            await run(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            yield run

    # What Piccolo calls.

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[Row]:
        return await self._run(*querystring.compile_string(engine_type="postgres"))

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[Row]:
        return await self._run(ddl, ())

    def transform_response_to_dicts(self, results: list[Row]) -> list[Row]:
        return results

    def transaction(self, allow_nested: bool = False) -> PostgresTransaction:
        return Transaction(self, readonly=False)

    def write_transaction(self) -> Transaction:
        return Transaction(self, readonly=False)

    def read_transaction(self) -> Transaction:
        return Transaction(self, readonly=True)

    async def get_new_connection(self) -> Any:
        raise NotImplementedError("batches keep a connection to themselves; read in pages instead")


class Transaction(PostgresTransaction):
    __slots__ = ("_undo", "afterwards", "done", "readonly")

    engine: Postgres

    def __init__(self, engine: Postgres, *, readonly: bool) -> None:
        super().__init__(engine)
        self._parent = None
        self.readonly = readonly
        self.done = False
        self.afterwards: list[Callable[[], None]] = []

    async def __aenter__(self) -> Transaction:
        refuse_nesting()
        async with AsyncExitStack() as undo:
            # A failed or cancelled BEGIN gives the connection back.
            self.connection = await undo.enter_async_context(self.engine.connection())
            self.transaction = self.connection.transaction(
                isolation="repeatable_read" if self.readonly else "read_committed", readonly=self.readonly
            )
            with translating():
                await self.transaction.start()
            self._undo = undo.pop_all()
        self.context = open_transaction.set(self)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> Literal[False]:
        try:
            if not self._rolled_back and not self._committed:
                await finish(self._end(commit=kind is None))
        except Exception:
            # The pool drops a connection it cannot roll back; the first error is the one to report.
            if kind is None:
                raise
        finally:
            self.done = True
            open_transaction.reset(self.context)
            try:
                await finish(self._undo.aclose())
            finally:
                if self._committed:
                    run_callbacks(self.afterwards)
        return False

    async def _end(self, *, commit: bool) -> None:
        with translating():
            await (self.transaction.commit() if commit else self.transaction.rollback())
        self._committed = commit
        self._rolled_back = not commit

    async def rows(self, sql: str, values: Sequence[Any]) -> list[Row]:
        return await rows(self.connection, sql, values)

    async def many(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        counting.note(sql)
        with translating():
            await self.connection.executemany(sql, values)

    async def insert(self, table: str, columns: Sequence[str], values: Sequence[Sequence[Any]]) -> None:
        counting.note(f"COPY {table}")
        with translating():
            await self.connection.copy_records_to_table(table, records=values, columns=columns)


async def rows(connection: Any, sql: str, values: Sequence[Any]) -> list[Row]:
    counting.note(sql)
    with translating():
        return [dict(record) for record in await connection.fetch(sql, *values)]


@contextmanager
def translating() -> Iterator[None]:
    try:
        yield
    except asyncpg.PostgresError as error:
        known = translated(error)
        if known is error:
            raise
        raise known from error


def translated(error: Exception) -> Exception:
    if isinstance(error, asyncpg.UniqueViolationError):
        return Duplicate(str(error))
    if isinstance(error, BUSY_OR_GONE):
        return Unavailable()
    return error


async def _keep(connection: Any) -> None:
    """The pool's reset: asyncpg has rolled back what was open already."""
