"""Folders of files for an import, beginning with the documented example."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.db.prepared import Prepared, fetch
from selfcare.imports.importing import Report, import_folder
from selfcare.imports.problems import Refused
from selfcare.places import CHECKOUT

KEYS = [b"k" * 32]
EXAMPLE = CHECKOUT / "docs" / "import-example"


class Folder:
    def __init__(self, place: Path) -> None:
        self.place = place

    def change(self, file: str, id: str, /, **cells: str) -> None:
        """Other words in one row, as an operator's next export would have them."""
        header, rows = self._read(file)
        for row in rows:
            if row["id"] == id:
                row.update(cells)
        self._write(file, header + [name for name in cells if name not in header], rows)

    def add(self, file: str, **cells: str) -> None:
        header, rows = self._read(file)
        self._write(file, header + [name for name in cells if name not in header], [*rows, cells])

    def write(self, file: str, text: str | bytes) -> None:
        (self.place / file).write_bytes(text if isinstance(text, bytes) else text.encode())

    def text(self, file: str) -> str:
        return (self.place / file).read_text()

    async def load(self, **more: Any) -> Report:
        usual: dict[str, Any] = {"currency": "GBP", "zone": "Europe/London", "progress": lambda *_: None}
        usual["keys"] = KEYS
        return await import_folder(self.place, EmbeddedJobs(), **(usual | more))

    async def refused(self, **more: Any) -> list[str]:
        with pytest.raises(Refused) as caught:
            await self.load(**more)
        assert await rows("SELECT id FROM customer") == [], "something was imported"
        return str(caught.value).splitlines()

    def _read(self, file: str) -> tuple[list[str], list[dict[str, str]]]:
        with (self.place / file).open(newline="") as opened:
            reader = csv.DictReader(opened)
            found = list(reader)
            return list(reader.fieldnames or ()), found

    def _write(self, file: str, header: list[str], rows: list[dict[str, str]]) -> None:
        with (self.place / file).open("w", newline="") as opened:
            writer = csv.DictWriter(opened, header, restval="")
            writer.writeheader()
            writer.writerows(rows)


async def rows(sql: str, **values: Any) -> list[dict[str, Any]]:
    return await fetch(Prepared.sql(sql).bind(**values))
