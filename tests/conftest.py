"""What every test may ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from selfcare.db.engine import Database
from tests.support import databases, postgres


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.prepare()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        postgres.stop()


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
