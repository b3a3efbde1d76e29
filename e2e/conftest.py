"""Journeys in a real browser against a real demo server: with and without JavaScript, on a narrow phone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from e2e.people import PATIENCE_SECONDS, Portal

CHROMIUM = os.environ.get("SELFCARE_CHROMIUM", "/usr/bin/chromium")
NOW = "2026-11-22T12:00"


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo in which nobody did anything yet."""
    folder = tmp_path_factory.mktemp("fresh")
    with serving(folder, "--port", "0", "--now", NOW):
        return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, fresh: Path) -> Iterator[str]:
    """The public address of a fresh demo; every test file has its own."""
    folder = shutil.copytree(fresh, tmp_path_factory.mktemp("demo"), dirs_exist_ok=True)
    with serving(folder, "--port", "0", "--now", NOW) as address:
        yield address


@contextmanager
def serving(data: Path, *wishes: str) -> Iterator[str]:
    """A demo in that folder, with these options; its public address."""
    command = [sys.executable, "-m", "selfcare", "demo", "--data", str(data), *wishes]
    environment = os.environ | {
        "SELFCARE_ARGON2_MEMORY_KIB": "64",
        "SELFCARE_ARGON2_PASSES": "1",
        "PYTHONUNBUFFERED": "1",
    }
    log = Path(data, "server.log")
    with log.open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
        try:
            yield _address(process, log)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)


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


def _address(process: subprocess.Popen[str], log: Path) -> str:
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if found := re.search(r"http://[\w.]+:\d+", line):
            return found[0]
    raise AssertionError(f"the demo did not start:\n{''.join(lines)}\n{log.read_text()}")
