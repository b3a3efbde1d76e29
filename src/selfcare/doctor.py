"""Looks at everything Selfcare needs and says in words what is wrong and how to mend it."""

import asyncio
import json
import os
import shutil
import smtplib
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from selfcare import logs
from selfcare.app import build_ports
from selfcare.db.engine import database, is_open, read_transaction
from selfcare.db.migrate import MigrationFailed, pending
from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import clock
from selfcare.server import CannotStart, opened
from selfcare.settings import BadSettings, Settings, unknown
from selfcare.web.health import probe

LEAST_FREE_BYTES = 500 * 1000**2
LONGEST_SECONDS = 10
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)
_FURTHEST_APART = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. With `mend` it is wrong, and that is how to put it right; `serious` stops Selfcare."""

    what: str
    mend: str = ""
    serious: bool = True

    @property
    def bad(self) -> bool:
        return bool(self.mend) and self.serious


async def examine(env: Mapping[str, str] = os.environ) -> AsyncIterator[Finding]:
    """Every finding as it is made; later ones are left out where they need what an earlier one found missing."""
    for mistyped in unknown(env):
        yield Finding(mistyped, "Correct the name or remove it.", serious=False)
    try:
        settings = Settings.from_env(env)
    except BadSettings as error:
        for problem in error.problems:
            yield Finding(problem, "docs/settings.md says what it may be.")
        return
    for finding in _settings(settings):
        yield finding
    async for finding in _database(settings):
        yield finding
    yield _disk(settings)
    if settings.mail_url:
        yield await asyncio.to_thread(_mail, settings.mail_url)
    if settings.payments == "stripe" and not settings.refusals():
        yield await _stripe(settings)
    if settings.provisioning == "http" and not settings.refusals():
        yield await _network(settings)


def _settings(settings: Settings) -> Iterator[Finding]:
    refusals = settings.refusals()
    for refusal in refusals:
        yield Finding(refusal, "Selfcare does not start like this.")
    if not refusals:
        yield Finding(f"The settings are good for {settings.env}.")
    try:
        theme = settings.operator
    except ValueError as error:
        yield Finding(f"{error}.", "Correct that line; src/selfcare/theme.toml is an example.")
        return
    yield Finding(f"The theme is that of {theme.name}.")
    for moved in theme.corrections:
        yield Finding(
            f"The colour {moved.token} on {moved.mode} pages was {moved.before}, which is hard to read; "
            f"it is shown as {moved.after} ({moved.ratio:.1f} : 1).",
            "Choose a colour that passes, or leave it so.",
            serious=False,
        )


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    try:
        opening = await asyncio.wait_for(opened(settings.database_url), LONGEST_SECONDS)
    except TimeoutError:
        yield Finding("The database does not answer.", "Is its address right, and may this machine reach it?")
        return
    except CannotStart as error:
        yield Finding(str(error), "Is it running, and are its address, user and password right?")
        return
    try:
        yield Finding(f"The database opens ({opening.dialect}).")
        async for finding in _schema():
            yield finding
        yield await _time()
    finally:
        await opening.close()


async def _schema() -> AsyncIterator[Finding]:
    try:
        missing = await pending()
    except MigrationFailed as error:
        yield Finding(f"{error}.", "Run the newest version of Selfcare.")
        return
    if missing:
        yield Finding(f"The database lacks {len(missing)} migrations.", "Run: selfcare migrate")
        return
    yield Finding("The database is migrated.")
    try:
        await probe()
    except Exception as error:  # whatever a driver raises, it means the same here
        yield Finding(f"The database takes no writes: {logs.masked(str(error))}.", "Is its disk full or read-only?")
    else:
        yield Finding("The database takes writes.")
    for row in await fetch(_REFUSED.bind(since=clock.now() - timedelta(days=1))):
        reason = json.loads(row["details"])["reason"]
        yield Finding(
            f"Words about a job of the network were refused in the last day: {reason}.",
            "Where the network sent them: compare SELFCARE_PROVISIONING_SECRET and the clocks.",
            serious=False,
        )


_REFUSED = Prepared.sql(
    "SELECT DISTINCT details FROM audit_event WHERE event = 'feeds.refused' AND at > :since ORDER BY details LIMIT 10"
)


async def _time() -> Finding:
    """Codes of the second factor, sessions and payments go wrong when the clock does."""
    here = clock.now()
    if here < _WRITTEN:
        return Finding(f"This machine thinks it is {here:%d %B %Y}.", "Set its clock; use NTP.")
    if is_open() and database().dialect == "postgres":
        async with read_transaction() as tx:
            [row] = await tx.rows("SELECT now() AS now", ())
        if abs(row["now"] - here) > _FURTHEST_APART:
            return Finding(
                f"This machine says {here:%H:%M:%S}, the database {row['now']:%H:%M:%S}.", "Use NTP on both."
            )
    return Finding("The clock is plausible.")


def _disk(settings: Settings) -> Finding:
    place = (
        Path(settings.database_url.removeprefix("sqlite:///")) if settings.database_url.startswith("sqlite") else Path()
    )
    existing = next((folder for folder in (place, *place.absolute().parents) if folder.exists()), Path("/"))
    free = shutil.disk_usage(existing).free
    words = f"{free // 1000**2:,} MB are free on the disk of {existing}."
    return (
        Finding(words, "Make room: SQLite stops writing on a full disk.") if free < LEAST_FREE_BYTES else Finding(words)
    )


async def _stripe(settings: Settings) -> Finding:
    gateway: Any = build_ports(settings).payments
    where = urlsplit(settings.stripe_api_base).hostname
    if refusal := await gateway.refusal():
        return Finding(f"Stripe at {where} is of no use to us: {refusal}.", "Check the SELFCARE_STRIPE settings.")
    return Finding(f"Stripe at {where} answers.")


async def _network(settings: Settings) -> Finding:
    network: Any = build_ports(settings).provisioning
    where = urlsplit(settings.provisioning_url).hostname
    if refusal := await network.refusal():
        return Finding(
            f"The network at {where} is of no use to us: {refusal}.", "docs/provisioning.md says what it needs."
        )
    return Finding(f"The network at {where} answers.")


def _mail(url: str) -> Finding:
    parts = urlsplit(url)
    kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
    port = {"smtps": 465, "smtp+starttls": 587}.get(parts.scheme, 25)
    where = f"{parts.hostname}:{parts.port or port}"
    try:
        with kind(parts.hostname or "", parts.port or port, timeout=LONGEST_SECONDS) as peer:
            peer.ehlo_or_helo_if_needed()
            if parts.scheme == "smtp+starttls":
                peer.starttls(context=ssl.create_default_context())
    except (OSError, smtplib.SMTPException) as error:
        return Finding(
            f"The mail server {where} does not answer: {logs.masked(str(error))}.",
            "Check SELFCARE_MAIL_URL.",
            serious=False,
        )
    return Finding(f"The mail server {where} answers.")
