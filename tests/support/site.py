"""The application over a copy of the demo operator, at a fixed moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from selfcare.app import Application, configure, create_app
from selfcare.db.migrate import migrate
from selfcare.demo import load
from selfcare.identity.passwords import Passwords
from selfcare.kernel import clock
from selfcare.settings import Settings
from tests.support.browser import BASE

# A Sunday in winter, half a month into the period of most demo plans.
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
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
            now=NOW, progress=lambda _what, _done, _all: None, passwords=passwords, sim_keys=settings.sim_keys
        )
    passwords.close()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Application]:
    """Started and stopped as a server would; the clock stands still at NOW."""
    with clock.frozen(NOW):
        app = create_app(settings)
        up, stop = asyncio.Event(), asyncio.Event()
        # In one task of its own: fixtures are set up and torn down in different ones.
        life = asyncio.create_task(_live(app, up, stop))
        waiting = asyncio.create_task(up.wait())
        await asyncio.wait([life, waiting], return_when=asyncio.FIRST_COMPLETED)
        if life.done():
            waiting.cancel()
            await life
        try:
            yield app
        finally:
            stop.set()
            await life


async def _live(app: Application, up: asyncio.Event, stop: asyncio.Event) -> None:
    async with app.inside.lifespan():
        up.set()
        await stop.wait()
