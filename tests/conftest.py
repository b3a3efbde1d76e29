"""What every test may ask for."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from selfcare.app import Application
from selfcare.db.engine import Database
from selfcare.demo import people
from selfcare.kernel import clock
from tests.support import databases, money, postgres, site
from tests.support.browser import Browser

# The same examples each time, and as long as they take: a run fails because of what was changed and of nothing else.
settings.register_profile("suite", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    # What is imported stays: looking for garbage in it after every few hundred objects is a sixteenth of the time.
    gc.set_threshold(200_000, 50, 50)
    if not hasattr(config, "workerinput"):
        if memory := postgres.memory():
            # A third of a test on SQLite is the disk.
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", memory)
        postgres.prepare()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.stop()


@pytest.fixture(autouse=True)
def _the_machines_own_time() -> Iterator[None]:
    """Whatever a test turned the clock to, also by what it called, the next one begins now."""
    yield
    clock.reset()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> databases.Templates:
    return databases.Templates(tmp_path_factory.mktemp("templates"))


@pytest.fixture(params=databases.KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Every test that touches the database runs once on each."""
    kind: str = request.param
    return kind


@pytest.fixture
def migrated(templates: databases.Templates, kind: str) -> str:
    """The name of a template with the schema and no rows."""
    templates.prepare(kind, "migrated", databases.migrated)
    return "migrated"


@pytest.fixture
async def database_url(templates: databases.Templates, kind: str, migrated: str, tmp_path: Path) -> AsyncIterator[str]:
    async with templates.copy(kind, migrated, tmp_path) as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Open, migrated and empty."""
    async with databases.opened(database_url) as database:
        yield database


@pytest.fixture
def demo_template(templates: databases.Templates, kind: str) -> str:
    """The name of a template with the demo operator in it."""
    templates.prepare(kind, "demo", site.fill_with_demo)
    return "demo"


@pytest.fixture
async def demo_url(templates: databases.Templates, kind: str, demo_template: str, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a fresh copy of the demo operator, for a test that runs it in its own way."""
    async with templates.copy(kind, demo_template, tmp_path) as url:
        yield url


@pytest.fixture
async def app(demo_url: str) -> AsyncIterator[Application]:
    """The running application over the demo operator, the clock at `site.NOW`."""
    async with site.running(site.settings_for(demo_url)) as app:
        yield app


@pytest.fixture
def counter(database: Database) -> money.Counter:
    return money.counter()


@pytest.fixture
async def purse(database: Database) -> money.Purse:
    return await money.purse()


@pytest.fixture
async def visitor(app: Application) -> AsyncIterator[Browser]:
    """Nobody signed in."""
    browser = Browser(app)
    yield browser
    await browser.close()


def _signed_in(who: people.Someone) -> Any:
    async def person(app: Application) -> AsyncIterator[Browser]:
        browser = Browser(app, name=who.key)
        page = await browser.sign_in(who.email, people.PASSWORD)
        assert page.status == 200, page.text
        yield browser
        await browser.close()

    person.__doc__ = f"{who.name}: {who.about}."
    return pytest.fixture(person)


asha = _signed_in(people.ASHA)
ben = _signed_in(people.BEN)
chidi = _signed_in(people.CHIDI)
empty = _signed_in(people.EMPTY)
bloom = _signed_in(people.HANA)
gwen = _signed_in(people.GWEN)
femi = _signed_in(people.FEMI)
dina = _signed_in(people.DINA)
eli = _signed_in(people.ELI)
admin = _signed_in(people.ADMIN)
