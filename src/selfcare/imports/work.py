"""One import under way: chunk by chunk the rows of a file are found again, checked, and written.

A row is found again by the operator's id. The same file a second time changes nothing, even where people changed things
in the portal meanwhile: what is compared is the cell as it was imported last, and only cells that changed are written.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from itertools import islice, repeat
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from selfcare.db.engine import Tx, dialect
from selfcare.db.prepared import Prepared, fetch
from selfcare.imports import checks
from selfcare.imports.after import AFTER, BEFORE
from selfcare.imports.columns import Column
from selfcare.imports.file import File
from selfcare.imports.files import BY_NAME, FILES
from selfcare.imports.problems import Problem, Problems
from selfcare.imports.reading import Row, rows
from selfcare.imports.seen import Seen
from selfcare.kernel.ids import new_ids

AT_ONCE = 2_000
OWNED = {file.name for file in FILES if file.has_owner}

Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(slots=True)
class Known:
    """What an operator's id became."""

    id: Any
    customer_id: Any
    marks: str


@dataclass(slots=True)
class Counts:
    rows: int = 0
    added: int = 0
    changed: int = 0
    # Of people who were erased since: their rows bring nobody back.
    erased: int = 0

    @property
    def touched(self) -> bool:
        return self.added + self.changed > 0

    @property
    def unchanged(self) -> int:
        return self.rows - self.added - self.changed - self.erased


@dataclass(slots=True)
class Written:
    """One new or changed row, ready to be written."""

    row: Row
    id: Any
    customer_id: Any
    old_marks: str | None

    @property
    def is_new(self) -> bool:
        return self.old_marks is None

    def changed(self, file: File) -> set[str]:
        """Names of the columns whose cell is not what it was; a column that was added since was empty."""
        old, new = self.old_marks or "", self.row.marks
        names = [column.name for column in file.columns]
        return {name for n, name in enumerate(names) if new[8 * n : 8 * n + 8] != (old[8 * n : 8 * n + 8] or "0" * 8)}


@dataclass(slots=True)
class Import:
    tx: Tx
    folder: Path
    currency: str
    zone: str
    now: datetime
    progress: Progress
    # The first seals what is secret.
    keys: Sequence[bytes]
    problems: Problems = field(default_factory=Problems)
    seen: Seen = field(default_factory=Seen)
    counts: dict[str, Counts] = field(default_factory=dict)
    known: dict[tuple[str, str], Known] = field(default_factory=dict)
    # Ids of rows that were refused: what refers to them is not told again.
    refused: set[tuple[str, str]] = field(default_factory=set)
    new_users: list[str] = field(default_factory=list)
    # Whether rows of this file were imported before.
    again: bool = True
    on_sqlite: bool = field(default_factory=lambda: dialect() == "sqlite")

    async def take_all(self) -> None:
        for file in FILES:
            path = self.folder / file.csv
            if (size := _size(path)) is not None:
                await self._take_file(file, path, size)
        if not self.problems.found:
            await checks.run(self.problems, self.seen, {name for name, counts in self.counts.items() if counts.touched})

    async def _take_file(self, file: File, path: Path, size: int) -> None:
        counts = self.counts[file.name] = Counts()
        self.again = bool(await fetch(ANY.bind(beginning=f"{file.name}/%")))
        self.progress(file.csv, 0, size)
        reading = rows(
            path,
            file,
            self.problems,
            default_currency=self.currency,
            secret_mark=self._secret_mark,
            said=lambda done: self.progress(file.csv, min(done, size), size),
            refused=lambda id: self.refused.add((file.name, id)),
        )

        while chunk := list(islice(reading, AT_ONCE)):
            await self._take(file, chunk, counts)
        self.progress(file.csv, size, size)

    async def _take(self, file: File, chunk: list[Row], counts: Counts) -> None:
        counts.rows += len(chunk)
        chunk = self._first_ones(file, chunk)
        self.known = await self._lookup(file.name, [row.id for row in chunk]) if self.again else {}
        fresh = [row for row in chunk if (old := self.known.get((file.name, row.id))) is None or old.marks != row.marks]
        if fresh and (erased := await self._erased(file, fresh)):
            counts.erased += len(erased)
            fresh = [row for row in fresh if row.id not in erased]
        if not fresh:
            return
        for name, ids in _mentioned(file, fresh).items():
            self.known |= await self._lookup(name, list(ids))
        made_ids = new_ids(len(fresh))
        written = [made for row, id in zip(fresh, made_ids, strict=True) if (made := self._resolve(file, row, id))]
        await self._check_unique(file, written)
        if before := BEFORE.get(file.name):
            await before(self, written)
        # After a mistake the files are read on to find more, but nothing is kept.
        good = [made for made in written if (file.name, made.row.id) not in self.refused]
        await self._insert(file, [made for made in good if made.is_new])
        await self._update(file, [made for made in good if not made.is_new])
        if after := AFTER.get(file.name):
            await after(self, good)
        counts.added += sum(made.is_new for made in good)
        counts.changed += sum(not made.is_new for made in good)

    def wrong(self, file: File, row: Row, column: str, message: str) -> None:
        self.refused.add((file.name, row.id))
        self.problems.add(Problem(file.csv, row.line, row.places[column], column, message))

    def _first_ones(self, file: File, chunk: list[Row]) -> list[Row]:
        before = self.seen.before(file.name, "id", [(row.id, row.line) for row in chunk])
        for row in chunk:
            if row.line in before:
                message = f"{row.id} stands on line {before[row.line]} already; expected each id once"
                self.wrong(file, row, "id", message)
        return [row for row in chunk if row.line not in before] if before else chunk

    async def _lookup(self, file: str, ids: list[str]) -> dict[tuple[str, str], Known]:
        found: dict[tuple[str, str], Known] = {}
        for n in range(0, len(ids), AT_ONCE):
            names = [f"{file}/{id}" for id in ids[n : n + AT_ONCE]]
            for each in await fetch(LOOKUP.bind(names=names)):
                id = each["name"].partition("/")[2]
                found[file, id] = Known(each["row_id"], each["customer_id"], each["marks"])
        return found

    async def _erased(self, file: File, rows: list[Row]) -> set[str]:
        """Ids of rows that became somebody who was erased since."""
        statement = ERASED.get(file.name)
        ids = {UUID(old.id): row.id for row in rows if (old := self.known.get((file.name, row.id)))}
        if statement is None or not ids:
            return set()
        return {ids[row["id"]] for row in await fetch(statement.bind(ids=list(ids)))}

    def _resolve(self, file: File, row: Row, id: UUID) -> Written | None:
        """The row with its ids; None when it names what is not there or is somebody else's."""
        old = self.known.get((file.name, row.id)) if self.again else None
        made = Written(row, old.id if old else str(id), None, old.marks if old else None)
        unknown = [
            (column.name, mentioned)
            for column in file.linked
            for mentioned in column.mentioned(row.values[column.name])
            if mentioned not in self.known
        ]
        for name, mentioned in unknown:
            self._tell_unknown(file, row, name, mentioned)
        if unknown:
            return None
        made.customer_id = self._owner(file, row, made)
        if made.customer_id is not None and not self._is_one_customers(file, row, made, old):
            return None
        if file.names_itself:
            self.known[file.name, row.id] = Known(made.id, made.customer_id, row.marks)
        return made

    def _tell_unknown(self, file: File, row: Row, column: str, mentioned: tuple[str, str]) -> None:
        name, id = mentioned
        if mentioned in self.refused:
            self.refused.add((file.name, row.id))
        else:
            self.wrong(file, row, column, f"{id} is not in {BY_NAME[name].csv}, nor was it imported before")

    def _owner(self, file: File, row: Row, made: Written) -> Any:
        if file.owner is None:
            return None
        if file.owner == "id":
            return made.id
        owner = self.known[f"{file.owner}s", row.values[file.owner]]
        return owner.id if file.owner == "customer" else owner.customer_id

    def _is_one_customers(self, file: File, row: Row, made: Written, old: Known | None) -> bool:
        """A row and everything it refers to belong to the same customer, today and when it was imported before."""
        for column in file.linked:
            value = row.values[column.name]
            if column.refers not in OWNED or value is None:
                continue
            if self.known[column.refers, value].customer_id != made.customer_id:
                self.wrong(file, row, column.name, f"{value} belongs to another customer")
                return False
        if old and old.customer_id != made.customer_id:
            assert file.owner is not None
            message = f"{row.id} belongs to another customer since it was imported; it cannot move"
            self.wrong(file, row, file.owner, message)
            return False
        return True

    async def _check_unique(self, file: File, written: list[Written]) -> None:
        for column in (column for column in file.columns if column.unique):
            rows_by_value = {
                value: made
                for made in written
                if (value := made.row.values[column.name]) is not None
                # A number is free again when its line has ended.
                and not (column.to == "msisdn" and made.row.values["state"] == "ended")
            }
            lines = [(made.row.values[column.name], made.row.line) for made in written]
            before = self.seen.before(file.name, column.name, [each for each in lines if each[0] in rows_by_value])
            for made in written:
                if line := before.get(made.row.line):
                    value = made.row.values[column.name]
                    self.wrong(
                        file, made.row, column.name, f"{value} stands on line {line} already; expected each once"
                    )
            if not rows_by_value:
                continue
            for taken in await fetch(TAKEN[file.name, column.name].bind(values=list(rows_by_value))):
                made = rows_by_value[taken["value"]]
                if taken["external_id"] != made.row.id:
                    owner = taken["external_id"] or "a row that was not imported"
                    self.wrong(file, made.row, column.name, f"{taken['value']} is taken by {owner}")

    async def _insert(self, file: File, written: list[Written]) -> None:
        if not written:
            return
        stored = [column for column in file.columns if column.to]
        names = ["id", *(column.to or "" for column in stored), *file.fixed, *file.stamped]
        with_customer = file.has_owner and "customer_id" not in names and file.owner != "id"
        tail = [*(self.stored(value) for value in file.fixed.values()), *([self.stored(self.now)] * len(file.stamped))]
        cells = [self._cells(file, written, column) for column in stored]
        ids, homes = [made.id for made in written], [made.customer_id for made in written]
        same = [repeat(value, len(written)) for value in tail]
        values = list(zip(ids, *cells, *same, *((homes,) if with_customer else ()), strict=True))
        await self.tx.insert(file.table, [*names, "customer_id"] if with_customer else names, values)
        await self.tx.insert(
            "imported",
            ("name", "row_id", "customer_id", "marks"),
            [(f"{file.name}/{made.row.id}", made.id, made.customer_id, made.row.marks) for made in written],
        )

    async def _update(self, file: File, written: list[Written]) -> None:
        """Rows with the same changed columns go together."""
        groups: dict[tuple[str, ...], list[Written]] = {}
        for made in written:
            groups.setdefault(_with_companions(file, made.changed(file)), []).append(made)
        for names, some in groups.items():
            columns = [column for column in file.columns if column.name in names and column.to]
            if columns:
                sets = ", ".join(f'"{column.to}" = {self._place(n)}' for n, column in enumerate(columns, 1))
                sets += ", version = version + 1" if file.name == "products" else ""
                cells = [self._cells(file, some, column) for column in columns]
                values = list(zip(*cells, [made.id for made in some], strict=True))
                await self.tx.many(
                    f'UPDATE "{file.table}" SET {sets} WHERE id = {self._place(len(columns) + 1)}', values
                )
        if written:
            marks = [(made.row.marks, f"{file.name}/{made.row.id}") for made in written]
            await self.tx.many(f"UPDATE imported SET marks = {self._place(1)} WHERE name = {self._place(2)}", marks)

    def _cells(self, file: File, written: list[Written], column: Column) -> list[Any]:
        """One column of many rows, as the database wants it."""
        name = column.name
        values = [made.row.values[name] for made in written]
        if refers := column.refers:
            return [None if value is None else self.known[refers, value].id for value in values]
        if name == "zone":
            return [value or self.zone for value in values]
        if column.secret and file.seal:
            seal, to = file.seal, column.to or name
            return [
                None if value is None else seal(UUID(str(made.id)), to, value, self.keys)
                for made, value in zip(written, values, strict=True)
            ]
        return [self.stored(value) for value in values] if column.is_time and self.on_sqlite else values

    def _secret_mark(self, cell: str) -> int:
        """A plain checksum of four digits would tell them."""
        return int.from_bytes(
            hmac.digest(self.keys[0], f"imports/{cell}".encode("utf-8", "surrogatepass"), "sha256")[:4]
        )

    def stored(self, value: Any) -> Any:
        return _as_text(value) if self.on_sqlite and isinstance(value, date) else value

    def _place(self, n: int) -> str:
        return "?" if self.on_sqlite else f"${n}"


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _mentioned(file: File, chunk: Iterable[Row]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for column in file.linked:
        for row in chunk:
            for name, id in column.mentioned(row.values[column.name]):
                found.setdefault(name, set()).add(id)
    return found


def _with_companions(file: File, names: set[str]) -> tuple[str, ...]:
    """Columns that a rule of the database ties together are written together."""
    groups = {column.together for column in file.columns if column.name in names and column.together}
    return tuple(column.name for column in file.columns if column.name in names or column.together in groups)


@lru_cache(maxsize=65536)
def _as_text(value: date) -> str:
    """As the SQLite driver would write it, once for each value."""
    return str(value)


# Ids as text: they are only compared and handed on.


LOOKUP = Prepared.sql(
    """
    SELECT name, CAST(row_id AS TEXT) AS row_id, CAST(customer_id AS TEXT) AS customer_id, marks
    FROM imported WHERE name IN :names
    """
)
ERASED = {
    "customers": Prepared.sql(
        """
        SELECT c.id AS id FROM customer c WHERE c.id IN :ids AND c.status = 'archived' AND EXISTS (
            SELECT 1 FROM contact k WHERE k.customer_id = c.id AND k.name = 'Erased person')
        """
    ),
    "users": Prepared.sql("SELECT id FROM app_user WHERE id IN :ids AND email LIKE 'erased-%@invalid'"),
    "contacts": Prepared.sql("SELECT id FROM contact WHERE id IN :ids AND name = 'Erased person'"),
    "sites": Prepared.sql("SELECT id FROM site WHERE id IN :ids AND label = 'Erased address'"),
}
ANY = Prepared.sql("SELECT name FROM imported WHERE name LIKE :beginning LIMIT 1")


# Addresses are the same in capitals; a number is free again when its line has ended.
VALUES = {"email": "lower(email)"}
LIVING = {"msisdn": " AND state <> 'ended'"}
TAKEN = {
    (file.name, column.name): Prepared.sql(
        f"SELECT external_id, {VALUES.get(str(column.to), column.to)} AS value FROM {file.table} "
        f"WHERE {VALUES.get(str(column.to), column.to)} IN :values{LIVING.get(str(column.to), '')}"
    )
    for file in FILES
    for column in file.columns
    if column.unique
}
