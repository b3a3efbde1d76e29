"""Runs the web server and the worker: checks that they may start, then hands over to uvicorn."""

import asyncio
import gc
import ipaddress
import logging
import signal
import socket
from collections.abc import Callable
from functools import partial
from sqlite3 import Error as SQLiteError

import uvicorn
from asyncpg import PostgresError
from uvicorn.supervisors import multiprocess

from selfcare import background, logs
from selfcare.app import Application, build_ports, configure, create_app
from selfcare.db.engine import Database, open_database
from selfcare.db.migrate import pending
from selfcare.live.standing import Standing
from selfcare.settings import Settings
from selfcare.web import waiting

log = logging.getLogger(__name__)

MOST_WORKERS_ON_SQLITE = 3
GRACE_SECONDS = 20
MOST_CONNECTIONS = 1000
LOOK_FOR_CIRCLES_AFTER = 20_000


class CannotStart(Exception):
    """Why not, one sentence each, for whoever typed the command."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons


def serve(settings: Settings, *, host: str, port: int, workers: int = 1, jobs: bool = True) -> None:
    """Until SIGINT or SIGTERM: then requests in flight get 20 seconds. `jobs` runs background jobs here too."""
    check(settings, workers=workers)
    asyncio.run(_check_schema(settings))
    listening = listen(host, port)
    run(partial(application, settings, jobs=jobs), settings, listening, workers=workers)


def check(settings: Settings, *, workers: int = 1) -> None:
    """Raises CannotStart with everything that stands against it."""
    reasons = settings.refusals()
    try:
        settings.operator  # noqa: B018 - reading it is the check
    except ValueError as error:
        reasons.append(f"{error}.")
    if settings.database_url.startswith("sqlite:") and workers > MOST_WORKERS_ON_SQLITE:
        reasons.append(
            f"SQLite lets one process write at a time: at most {MOST_WORKERS_ON_SQLITE} workers. "
            "For more, set SELFCARE_DATABASE_URL to a PostgreSQL database."
        )
    for proxy in settings.trusted_proxies:
        if not _is_address(proxy):
            reasons.append(f"SELFCARE_TRUSTED_PROXIES has {proxy!r}, which is no address like 10.0.0.1 or 10.0.0.0/24.")
    if reasons:
        raise CannotStart(*reasons)


def listen(host: str, port: int) -> socket.socket:
    """The open port; raises CannotStart in words when it is taken or forbidden."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except PermissionError as error:
        raise CannotStart(f"Port {port} needs more rights than we have; choose one above 1023 with --port.") from error
    except (OSError, OverflowError) as error:
        raise CannotStart(f"We cannot listen on {host} port {port}: {_why(error)}.") from error


def run(build: Callable[[], Application], settings: Settings, listening: socket.socket, *, workers: int = 1) -> None:
    config = uvicorn.Config(
        build,
        factory=True,
        workers=workers,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        # uvicorn would trust 127.0.0.1 by itself: with no proxy named, nobody may speak for a visitor.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_SECONDS,
        # A process answers only when it has imported everything: on a busy machine 5 seconds are too few, and it would
        # be killed and begun again for ever.
        timeout_worker_healthcheck=60,
    )
    if workers > 1:
        # The supervisor makes its processes by this name and has no other way to be told of ours.
        multiprocess.Process = _Process  # type: ignore[misc]
        multiprocess.Multiprocess(config, sockets=[listening]).run()
    else:
        server = _Server(config)
        server.run(sockets=[listening])
        if not server.started:
            raise CannotStart("The server did not come up; the lines above say why.")


class _Server(uvicorn.Server):
    """Does not wait for pages that wait for news."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        waiting.stop()
        await super().shutdown(sockets)


class _Process(multiprocess.Process):
    @property
    def server(self) -> uvicorn.Server:
        if self._server is None:
            self._server = _Server(self.config)
        return self._server


def application(settings: Settings, *, jobs: bool) -> Application:
    """What each web process builds for itself."""
    logs.set_up(production=settings.production, level=settings.log_level)
    app = create_app(settings, worker=jobs)
    # What stays is not looked at again, and what a page makes is gone with it: looking for circles after every 700
    # things, as Python does by itself, costs a page 6 %.
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOK_FOR_CIRCLES_AFTER)
    return app


def work(settings: Settings) -> None:
    """Background jobs only, until SIGINT or SIGTERM; the job in hand is finished first."""
    check(settings)
    logs.set_up(production=settings.production, level=settings.log_level)
    asyncio.run(_check_schema(settings))
    asyncio.run(_work(settings))


async def _work(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    configure(settings)
    database = await opened(settings.database_url)
    try:
        log.info("working")
        standing = Standing(settings)
        await standing.look()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(standing.watch(stop))
            tasks.create_task(background.work(standing, build_ports(settings), stop))
    finally:
        await database.close()


async def opened(url: str) -> Database:
    """The open database, or CannotStart in words. The URL may hold a password: it is never part of them."""
    try:
        return await open_database(url)
    except (OSError, ValueError, SQLiteError, PostgresError) as error:
        raise CannotStart(f"The database in SELFCARE_DATABASE_URL does not open: {logs.masked(str(error))}.") from error


async def _check_schema(settings: Settings) -> None:
    database = await opened(settings.database_url)
    try:
        missing = await pending()
    finally:
        await database.close()
    if missing:
        raise CannotStart(f"The database lacks {len(missing)} migrations. Run: selfcare migrate")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _why(error: Exception) -> str:
    match error:
        case OSError(errno=98 | 48):
            return "another program has it. Stop that one, or choose another port with --port"
        case OSError(errno=99 | 49):
            return "this machine does not have that address. Choose another with --host"
        case OSError(errno=int(number)) if number < 0:  # those of the name service
            return "this is not an address we know. Choose another with --host"
        case OverflowError():
            return "ports go from 0 to 65535"
        case _:
            return str(error)
