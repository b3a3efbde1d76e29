"""A row that nobody can work with, before the others."""

from __future__ import annotations

from types import ModuleType

import pytest

from selfcare.db.engine import Row
from selfcare.db.prepared import Bound
from selfcare.kernel.ids import new_id


def first(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """The next thing that the module reads begins with one."""
    read = module.fetch

    async def with_it(asked: Bound) -> list[Row]:
        monkeypatch.setattr(module, "fetch", read)
        return [{"id": new_id()}, *await read(asked)]

    monkeypatch.setattr(module, "fetch", with_it)
