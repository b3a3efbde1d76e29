"""Finds every table of the product: they live in each feature's `tables.py`."""

from __future__ import annotations

import importlib
from pathlib import Path

from piccolo.table import TABLE_REGISTRY, Table

from selfcare.places import PACKAGE


def all_tables() -> list[type[Table]]:
    for path in sorted(PACKAGE.rglob("*tables.py")):
        if path.parent.name != "db":
            importlib.import_module(_module(path))
    ours = [table for table in TABLE_REGISTRY if table.__module__.startswith("selfcare.")]
    return sorted(ours, key=lambda table: table._meta.tablename)


def _module(path: Path) -> str:
    return ".".join(("selfcare", *path.relative_to(PACKAGE).with_suffix("").parts))
