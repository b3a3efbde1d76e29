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
from contextlib import contextmanager, suppress
from pathlib import Path
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
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=_memory())
    held = (Path(folder) / RUNNER).open("w")
    fcntl.flock(held, fcntl.LOCK_EX)
    _HELD.append(held)
    os.environ[FOLDER] = folder


def stop() -> None:
    _remove(Path(os.environ.pop(FOLDER)))


def _sweep() -> None:
    """What runs that were killed left behind. Their lock tells, not their pid, which may be somebody else's by now."""
    for folder in Path(_memory() or tempfile.gettempdir()).glob(f"{PREFIX}*"):
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


async def admin(*statements: str) -> list[Any]:
    connection = await asyncpg.connect(url("postgres"))
    try:
        answers = [await connection.fetch(statement) for statement in statements]
    finally:
        await connection.close()
    return answers[-1]


async def copy(template: str, name: str) -> None:
    connection = await asyncpg.connect(url("postgres"))
    try:
        # What older servers always did, and the fastest where nothing must survive a crash.
        strategy = "STRATEGY FILE_COPY" if connection.get_server_version().major >= 15 else ""
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} {strategy}")
    finally:
        await connection.close()


def admin_now(*statements: str) -> list[Any]:
    return asyncio.run(admin(*statements))


def _memory() -> str | None:
    """A copied database is 400 files: on disk that may cost half a second, in memory 12 ms."""
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else None


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
