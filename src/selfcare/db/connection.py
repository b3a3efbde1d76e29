"""One kept SQLite connection: in a thread of its own, or right here."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

# Piccolo registers its converters when it is imported: ours come after.
import piccolo.engine.sqlite  # noqa: F401

from selfcare.db import counting
from selfcare.db.engine import Duplicate, Row
from selfcare.kernel.errors import Unavailable

T = TypeVar("T")
Job: TypeAlias = tuple["asyncio.Future[Any] | None", Callable[..., Any], tuple[Any, ...]]

# Money lives here: every commit reaches the disk. Without recursive_triggers, INSERT OR REPLACE slips past the
# append-only triggers. mmap_size is a limit, not a reservation: the file is mapped as far as it goes.
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",
    "trusted_schema=OFF",
    "temp_store=MEMORY",
    "cache_size=-8000",
    "mmap_size=2147418112",
)
NAME = "selfcare-sqlite"
STATEMENTS_KNOWN = 1_000


@lru_cache(maxsize=4096)
def _moment(text: bytes) -> datetime:
    moment = datetime.fromisoformat(text.decode())
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(maxsize=8192)
def _id(text: bytes) -> UUID:
    return UUID(text.decode())


# Piccolo's converters look at each value three ways; these run for every id and time of every row.
sqlite3.register_converter("UUID", _id)
sqlite3.register_converter("TIMESTAMPTZ", _moment)
sqlite3.register_converter("BOOLEAN", b"1".__eq__)


class Here:
    """A connection that runs what it is asked in the thread that opened it."""

    def __init__(self, path: Path, busy_timeout_ms: int) -> None:
        self.path = path
        self.busy_timeout_ms = busy_timeout_ms
        self.raw: sqlite3.Connection | None = None
        self._names: dict[str, tuple[str, ...]] = {}

    def run(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        counting.note(sql)
        cursor = self.sqlite.execute(sql, values)
        rows = cursor.fetchall()
        if not rows:
            return []
        names = self._names.get(sql)
        if names is None or len(names) != len(rows[0]):
            if len(self._names) >= STATEMENTS_KNOWN:
                self._names.clear()
            names = self._names[sql] = tuple([column[0] for column in cursor.description])
        return [dict(zip(names, row, strict=True)) for row in rows]

    def run_many(self, sql: str, values: Sequence[Sequence[Any]]) -> None:
        counting.note(sql)
        self.sqlite.executemany(sql, values)

    def read(self, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Row]]:
        """Several reads of one snapshot."""
        if len(asked) == 1 or self.sqlite.in_transaction:
            return [self.run(sql, values) for sql, values in asked]
        self.sqlite.execute("BEGIN")
        try:
            return [self.run(sql, values) for sql, values in asked]
        finally:
            self.sqlite.execute("COMMIT")

    def control(self, statement: str) -> None:
        self.sqlite.execute(statement)

    def copy_to(self, path: Path) -> None:
        path.touch(mode=0o600)
        with closing(sqlite3.connect(path)) as copy:
            self.sqlite.backup(copy)

    def roll_back_what_is_open(self) -> None:
        if self.sqlite.in_transaction:
            self.sqlite.execute("ROLLBACK")

    @property
    def sqlite(self) -> sqlite3.Connection:
        if self.raw is None:
            raise sqlite3.ProgrammingError("this connection is closed")
        return self.raw

    def open_here(self) -> None:
        raw = sqlite3.connect(
            self.path,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES,
            cached_statements=256,
        )
        try:
            raw.execute(f"PRAGMA busy_timeout={self.busy_timeout_ms}")
            for pragma in PRAGMAS:
                raw.execute(f"PRAGMA {pragma}")
        except BaseException:
            raw.close()
            raise
        self.raw = raw

    def close_here(self) -> None:
        raw, self.raw = self.raw, None
        if raw is not None:
            raw.close()


class Connection(Here):
    """A connection with a thread of its own. Whatever is asked runs there in one hop, in order."""

    def __init__(self, path: Path, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms)
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = Thread(target=self._serve, name=NAME, daemon=True)
        self._thread.start()

    async def open(self) -> None:
        await self.call(self.open_here)

    async def call(self, work: Callable[..., T], *arguments: Any) -> T:
        """Runs `work(*arguments)` in the connection's thread. A cancelled caller leaves; the work is still done."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put((future, work, arguments))
        return await future

    async def execute(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        return await self.call(self.run, sql, values)

    async def close(self) -> None:
        await self.call(self.close_here)
        self._jobs.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def abandon(self) -> None:
        """Closes without waiting: for a connection that failed, or whose event loop is gone."""
        self._jobs.put((None, self.close_here, ()))
        self._jobs.put(None)

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work, arguments = job
            result, error = None, None
            try:
                result = work(*arguments)
            except BaseException as caught:
                error = translated(caught)
            if future is not None:
                # RuntimeError: the event loop closed while we worked, and nobody waits for this answer.
                with suppress(RuntimeError):
                    future.get_loop().call_soon_threadsafe(_deliver, future, result, error)
            # Do not keep the last rows alive while waiting for the next job.
            del job, future, work, arguments, result, error


def translated(error: BaseException) -> BaseException:
    if isinstance(error, sqlite3.IntegrityError) and error.sqlite_errorcode in (
        sqlite3.SQLITE_CONSTRAINT_UNIQUE,
        sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    ):
        duplicate = Duplicate(str(error))
        duplicate.__cause__ = error
        return duplicate
    if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
        busy = Unavailable()
        busy.__cause__ = error
        return busy
    return error


def _deliver(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
