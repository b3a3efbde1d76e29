"""A PostgreSQL server for the tests: own temporary cluster, no TCP port, no durability, stopped at the end."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import IO, Any

import asyncpg

FOLDER = "SELFCARE_TEST_POSTGRES_FOLDER"
PREFIX = "selfcare-pg-"
RUNNER = "runner"
_HELD: list[IO[str]] = []
FAST = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c wal_level=minimal -c max_wal_senders=0"
MISSING = (
    "PostgreSQL is not installed, and half of these tests are about it. Install it (Debian: apt-get install "
    "postgresql), or say SELFCARE_TEST_WITHOUT_POSTGRES=1 to test SQLite alone."
)


def prepare() -> None:
    """Called once by the process that runs the tests; xdist's workers inherit the folder."""
    _sweep()
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=memory())
    held = (Path(folder) / RUNNER).open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    _HELD.append(held)
    os.environ[FOLDER] = folder


def stop() -> None:
    _remove(Path(os.environ.pop(FOLDER)))


def _sweep() -> None:
    """What runs that were killed left behind. Their lock tells, not their pid, which may be somebody else's by now."""
    for folder in Path(memory() or tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / RUNNER).open() as runner:
            fcntl.flock(runner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(folder)


def _remove(folder: Path) -> None:
    if _is_running(folder / "data"):
        _run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", str(folder / "data"))
    shutil.rmtree(folder, ignore_errors=True)


def _is_running(data: Path) -> bool:
    """Not so after a crash or a restart of the machine, though the file with the pid is still there."""
    with suppress(OSError, IndexError):
        pid = (data / "postmaster.pid").read_text().split()[0]
        return Path(f"/proc/{pid}/cwd").resolve() == data.resolve()
    return False


def url(database: str) -> str:
    return f"postgres://selfcare@/{database}?host={os.environ[FOLDER]}"


@contextmanager
def locked() -> Iterator[Path]:
    """One of the workers at a time; the server is running inside."""
    folder = Path(os.environ[FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "data" / "postmaster.pid").exists():
            _start(folder)
        yield folder


async def copy(template: str, name: str) -> None:
    await asyncio.wrap_future(_Clerk.ask(f"CREATE DATABASE {name} TEMPLATE {template} {{strategy}}"))


def drop(name: str) -> None:
    """Nobody waits for it: what is asked next is done after it."""
    _Clerk.ask(f"DROP DATABASE {name} WITH (FORCE)")


def admin_now(statement: str) -> list[Any]:
    return _Clerk.ask(statement).result()


class _Clerk:
    """The one connection of this process that makes and drops databases, in a loop that outlives every test's."""

    loop: asyncio.AbstractEventLoop | None = None
    connection: asyncpg.Connection | None = None
    turn = asyncio.Lock()

    @classmethod
    def ask(cls, statement: str) -> Future[list[Any]]:
        if cls.loop is None:
            cls.loop = asyncio.new_event_loop()
            Thread(target=cls.loop.run_forever, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(cls._answer(statement), cls.loop)

    @classmethod
    async def _answer(cls, statement: str) -> list[Any]:
        async with cls.turn:
            if cls.connection is None:
                cls.connection = await asyncpg.connect(url("postgres"))
            # What older servers always did, and the fastest where nothing must survive a crash.
            strategy = "STRATEGY FILE_COPY" if cls.connection.get_server_version().major >= 15 else ""
            rows: list[Any] = await cls.connection.fetch(statement.format(strategy=strategy))
            return rows


def memory() -> str | None:
    """Where files cost no disk: a copied database is 400 of them, half a second on some disks and 12 ms here."""
    place = Path("/dev/shm")
    return str(place) if place.is_dir() and shutil.disk_usage(place).free > 2**30 else None


def _start(folder: Path) -> None:
    if owner := _owner():
        os.chown(folder, pwd.getpwnam(owner).pw_uid, -1)
    data = str(folder / "data")
    _run("initdb", "-D", data, "-A", "trust", "-U", "selfcare", "-E", "UTF8", "--locale=C", "--no-sync")
    options = f"{FAST} -c listen_addresses= -c unix_socket_directories={folder} -c max_connections=200"
    _run("pg_ctl", "start", "-w", "-D", data, "-l", str(folder / "log"), "-o", options)


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        [_find(program), *arguments],
        user=_owner(),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def _owner() -> str | None:
    """PostgreSQL refuses to run as root."""
    return "postgres" if os.geteuid() == 0 else None


def _find(program: str) -> str:
    newest_first = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), reverse=True)
    found = shutil.which(program) or next(map(str, newest_first), None)
    assert found is not None, MISSING
    return found
