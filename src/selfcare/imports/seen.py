"""Which ids a file has shown already, and on which line. Kept in a temporary database, so that memory stays small."""

from __future__ import annotations

import sqlite3


class Seen:
    def __init__(self) -> None:
        # SQLite's own temporary file: in memory while small, gone when closed.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA cache_size = -32000")
        self._database.execute("CREATE TABLE seen (name TEXT PRIMARY KEY, line INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def before(self, file: str, column: str, value: str, line: int) -> int | None:
        """The line on which it stood before; None the first time."""
        name = f"{file}\0{column}\0{value}"
        added = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (name, line))
        return None if added.rowcount else self.line(file, column, value)

    def line(self, file: str, column: str, value: str) -> int | None:
        found = self._database.execute(
            "SELECT line FROM seen WHERE name = ?", (f"{file}\0{column}\0{value}",)
        ).fetchone()
        return found[0] if found else None

    def close(self) -> None:
        self._database.close()
