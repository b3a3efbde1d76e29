"""The application over a copy of the demo operator, at a fixed moment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

from selfcare.app import Application, configure, create_app
from selfcare.db.engine import open_database
from selfcare.db.migrate import migrate
from selfcare.demo import load
from selfcare.identity.passwords import Passwords
from selfcare.kernel import clock
from selfcare.settings import Settings
from tests.support.browser import BASE

# A Sunday in winter, half a month into the period of most demo plans.
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOWHERE = TemporaryDirectory()
_built: dict[str, Application] = {}
CHEAP = {"SELFCARE_ARGON2_MEMORY_KIB": "64", "SELFCARE_ARGON2_PASSES": "1"}


def settings_for(database_url: str, **more: str) -> Settings:
    return Settings.from_env(
        {"SELFCARE_DATABASE_URL": database_url, "SELFCARE_PUBLIC_URL": BASE, "SELFCARE_ENV": "demo"} | CHEAP | more
    )


async def fill_with_demo() -> None:
    """Into the open, empty database of a template."""
    await migrate()
    # Else the demo has no past to tell of.
    settings = settings_for("sqlite:///unused.db")
    configure(settings)
    passwords = Passwords(memory_kib=64, passes=1, threads=1)
    with clock.frozen(NOW):
        await load.load(
            now=NOW,
            progress=lambda _what, _done, _all: None,
            passwords=passwords,
            sim_keys=settings.sim_keys,
            link_key=settings.keys.link,
        )
    passwords.close()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Application]:
    """Ready to answer, over the database of the settings; the clock stands still at NOW.

    Building all routes costs more than most tests: applications that differ in nothing but the database are built once.
    """
    with clock.frozen(NOW):
        configure(settings)
        database = await open_database(settings.database_url)
        try:
            application = built(settings)
            # An earlier test may have changed settings in its own database.
            await application.site.standing.look()
            yield application
        finally:
            await database.close()


def built(settings: Settings) -> Application:
    nowhere = replace(settings, database_url=f"sqlite:///{NOWHERE.name}/none.db")
    # Secrets are left out of a repr of the whole.
    key = repr([getattr(nowhere, field.name) for field in fields(nowhere)])
    if key not in _built:
        _built[key] = create_app(nowhere)
    return _built[key]
