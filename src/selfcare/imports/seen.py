"""Which ids a file has shown already, and on which line. Kept in a temporary database, so that memory stays small."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence


class Seen:
    def __init__(self) -> None:
        # SQLite's own temporary file: in memory while small, gone when closed.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA cache_size = -32000")
        self._database.execute("CREATE TABLE seen (name TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def before(self, file: str, column: str, values: Sequence[tuple[str, int]]) -> dict[int, int]:
        """Which of these (value, line) stood there before: their line and the line on which they did."""
        rows = [(f"{file}\0{column}\0{value}", line) for value, line in values]
        changes = self._database.total_changes
        self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", rows)
        if self._database.total_changes - changes == len(rows):
            return {}
        found = ((line, self.line(file, column, value)) for value, line in values)
        return {line: first for line, first in found if first is not None and first != line}

    def line(self, file: str, column: str, value: str) -> int | None:
        found = self._database.execute(
            "SELECT line FROM seen WHERE name = ?", (f"{file}\0{column}\0{value}",)
        ).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        self._database.close()
