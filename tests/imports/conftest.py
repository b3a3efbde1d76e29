"""Folders of files for an import, beginning with the documented example."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from selfcare.audit import log as audit
from selfcare.db.engine import Database
from tests.support.imports import EXAMPLE, Folder


@pytest.fixture
def folder(tmp_path: Path, database: Database) -> Folder:
    audit.configure(b"k" * 32)
    place = tmp_path / "files"
    shutil.copytree(EXAMPLE, place)
    return Folder(place)


@pytest.fixture
def one_file(tmp_path: Path, database: Database) -> Folder:
    """Nothing but customers."""
    audit.configure(b"k" * 32)
    place = tmp_path / "one"
    place.mkdir()
    return Folder(place)
