"""`selfcare demo`: an operator to try, with its own database under one folder, web and worker in one process."""

import asyncio
import fcntl
import logging
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from selfcare import server
from selfcare.app import configure
from selfcare.db import migrate
from selfcare.demo import load, people, turning
from selfcare.kernel import clock
from selfcare.progress import Progress
from selfcare.server import CannotStart
from selfcare.settings import SUPPORT_ACTIONS, Settings

FILE = "selfcare.db"
MARK = "secret"
YEARS = range(2000, 2101)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    host: str = "127.0.0.1"
    port: int = 8000
    data: Path = Path("var/demo")
    fresh: bool = False
    customers: int = 0
    at: str | None = None
    public_url: str | None = None


def demonstrate(wishes: Wishes) -> None:
    """Runs until it is stopped. Raises CannotStart in words."""
    started_from = Settings.from_env()
    if started_from.production:
        raise CannotStart("SELFCARE_ENV is production: the demo starts only where nothing real is set up. Unset it.")
    to = moment(wishes.at, started_from.zone) if wishes.at else None
    listening = server.listen(wishes.host, wishes.port)
    try:
        settings = settings_of(wishes, started_from, listening.getsockname()[1])
        server.check(settings)
        held = hold(wishes.data)
        if wishes.fresh:
            forget(wishes.data)
        set_clock(wishes.data, to)
        remark = asyncio.run(prepare(settings, wishes.customers))
        for line in welcome(settings, remark):
            print(line, flush=True)  # noqa: T201 - this is what the command is for
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        server.run(partial(server.application, settings, jobs=True), settings, listening)
        held.close()
    finally:
        listening.close()


def settings_of(wishes: Wishes, started_from: Settings, port: int) -> Settings:
    file = folder(wishes.data) / FILE
    return replace(
        started_from,
        env="demo",
        database_url=f"sqlite:///{file}",
        public_url=(wishes.public_url or f"http://{_reachable(wishes.host)}:{port}").rstrip("/"),
        secret_key=(_secret(file.with_name(MARK)),),
        support_actions=started_from.support_actions or SUPPORT_ACTIONS,
        log_level="warning" if started_from.log_level == "info" else started_from.log_level,
    )


def folder(data: Path) -> Path:
    """The folder, made and writable."""
    place = data.absolute()
    try:
        place.mkdir(parents=True, exist_ok=True)
        probe = place / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The folder {place} cannot be written ({error.strerror}). Choose another with --data."
        ) from error
    return place


def hold(data: Path) -> TextIO:
    """One demo at a time in a folder: a second one with --fresh would pull the database away from the first."""
    mark = (data.absolute() / MARK).open(encoding="ascii")
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        mark.close()
        raise CannotStart(
            f"Another demo is running in {data.absolute()}. Stop it, or choose another folder with --data."
        ) from error
    return mark


def set_clock(data: Path, to: datetime | None) -> None:
    """To what was asked for, else to where the last start in this folder left it."""
    if to is None:
        turning.take_up(data)
    else:
        clock.travel_to(to)
        turning.keep(data)


def forget(data: Path) -> None:
    """Removes the demo's database and where its clock stood, nothing else."""
    for name in (FILE, f"{FILE}-wal", f"{FILE}-shm", turning.FILE):
        (data.absolute() / name).unlink(missing_ok=True)


def moment(text: str, zone: str) -> datetime:
    """An ISO time; without a zone it is the operator's."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise CannotStart(f"--now {text} is no time. Write it like 2026-12-01T09:00.") from error
    if at.year not in YEARS:
        raise CannotStart(f"--now {text} is too far away; years go from {YEARS[0]} to {YEARS[-1]}.")
    return at if at.tzinfo else at.replace(tzinfo=ZoneInfo(zone))


async def prepare(settings: Settings, customers: int) -> str:
    """Migrated and full of people; returns what should be known about it."""
    configure(settings)
    progress = Progress()
    database = await server.opened(settings.database_url)
    try:
        progress("Setting up the database")
        await migrate.migrate()
        if await load.is_loaded():
            return "Generated customers come only with --fresh: this database is full already." if customers else ""
        await load.load(
            now=clock.now(),
            progress=progress,
            customers=customers,
            sim_keys=settings.sim_keys,
            link_key=settings.keys.link,
            with_payments=True,
        )
        return ""
    finally:
        progress.end()
        await database.close()


def welcome(settings: Settings, remark: str = "") -> Iterator[str]:
    theme = settings.operator
    yield f"\n{theme.portal}, the portal of {theme.name}: {settings.public_url}\n"
    yield f"Everybody's password is {people.PASSWORD}"
    yield from (f"  {who.email:<20} {who.name}, {who.about}" for who in people.EVERYBODY)
    numbers = " and ".join(phone for _home, phone in people.UNOWNED)
    yield f"\nNobody looks after the accounts of {numbers} yet: sign up with such a number."
    yield f"The clock says {clock.now().astimezone(ZoneInfo(settings.zone)):%A %d %B %Y, %H:%M}."
    yield f"Turn it, use something and read the mails at {settings.public_url}/demo."
    yield "Ctrl+C stops the demo; the next start finds everything as you left it."
    if remark:
        yield remark


def _secret(file: Path) -> str:
    """Sessions outlive a restart, and no two demos share a secret."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return file.read_text(encoding="ascii").strip()


def _reachable(host: str) -> str:
    """What to type in a browser: of "every address" the one by which other machines reach this one."""
    if host not in ("0.0.0.0", "::", ""):  # noqa: S104 - asked for on the command line
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            # Nothing is sent: this only asks the routing table which address we would send from.
            asking.connect(("192.0.2.1", 9))
            return str(asking.getsockname()[0])
        except OSError:
            return "127.0.0.1"
