"""Journeys in a real browser against a real demo server: with and without JavaScript, on a narrow phone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from e2e.people import Portal
from e2e.servers import serving
from tools.needs import browser

CHROMIUM = os.environ.get("SELFCARE_CHROMIUM") or browser()
NOW = "2026-11-22T12:00"
# They begin first: else one worker waits in the end for the other.
LONGEST = ("test_every_page.py", "test_services.py", "test_staff.py", "test_topup.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo in which nobody did anything yet."""
    folder = tmp_path_factory.mktemp("fresh")
    with serving(folder, port=0, at=NOW):
        return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, fresh: Path) -> Iterator[str]:
    """The public address of a fresh demo; every test file has its own."""
    folder = shutil.copytree(fresh, tmp_path_factory.mktemp("demo"), dirs_exist_ok=True)
    with serving(folder, port=0, at=NOW) as address:
        yield address


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return browser_type_launch_args | {
        "executable_path": CHROMIUM,
        "args": [
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ],
    }


@pytest.fixture(params=[True, False], ids=["js", "no-js"])
def javascript(request: pytest.FixtureRequest) -> bool:
    """Every journey that asks for `portal` runs with JavaScript and without."""
    on: bool = request.param
    return on


@pytest.fixture(params=[320], ids=["320px"])
def width(request: pytest.FixtureRequest) -> int:
    wide: int = request.param
    return wide


@pytest.fixture
def browser_context_args(
    browser_context_args: dict[str, Any], javascript: bool, width: int, server: str
) -> dict[str, Any]:
    return browser_context_args | {
        "java_script_enabled": javascript,
        "viewport": {"width": width, "height": 740},
        "base_url": server,
        "locale": "en-GB",
    }


@pytest.fixture
def portal(page: Page, server: str, javascript: bool) -> Iterator[Portal]:
    """The portal in a browser window; fails on script errors and on anything our content policy stopped."""
    portal = Portal(page, server, javascript=javascript)
    yield portal
    assert portal.complaints == []
