"""Reads one CSV file line by line, in constant memory, and says where it is not what it should be."""

from __future__ import annotations

import csv
import struct
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO
from zlib import crc32

from selfcare.imports.columns import Wrong, currency, money, shown
from selfcare.imports.file import File, Values
from selfcare.imports.problems import Problem, Problems
from selfcare.kernel.money import EXPONENTS

LONGEST_CELL = 100_000
LONGEST_LINE = 1_000_000
SAID_EVERY = 256


@dataclass(slots=True)
class Row:
    """One line of a file. `marks` changes when a cell does; `places` says which cell a column is, 1 first."""

    line: int
    id: str
    values: Values
    marks: str
    places: dict[str, int]


class Unreadable(Exception):
    """The rest of the file cannot be understood."""


def rows(
    path: Path,
    file: File,
    problems: Problems,
    *,
    default_currency: str,
    secret_mark: Callable[[str], int],
    said: Callable[[int], object],
    refused: Callable[[str], object],
) -> Generator[Row]:
    """The good rows. `said` is called with the bytes read so far, `refused` with the id of a bad row."""
    csv.field_size_limit(LONGEST_CELL)
    # Bytes that are not UTF-8 become surrogates, so that their cell can be named.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
        binary: Any = opened.buffer
        reader = csv.reader(_Lines(opened), strict=True)
        cells = _next(reader, file, problems)
        if cells is None:
            if not problems.found:
                problems.add(Problem(file.csv, 1, 0, "", f"the file is empty; expected {_header(file)}"))
            return
        if not _is_header(cells, file, problems):
            return
        layout = Layout(file, [name.strip() for name in cells], default_currency, secret_mark)
        line = reader.line_num + 1
        while (cells := _next(reader, file, problems)) is not None:
            if not line % SAID_EVERY:
                said(binary.tell())
            if cells:
                row = layout.read(cells, line, problems)
                if row.marks:
                    yield row
                elif row.id:
                    refused(row.id)
            line = reader.line_num + 1


class Layout:
    """Where the columns of a file stand in its lines."""

    def __init__(self, file: File, header: list[str], default_currency: str, secret_mark: Callable[[str], int]) -> None:
        self.file = file
        self.secret_mark = secret_mark
        self.width = len(header)
        self.default_currency = currency(default_currency)
        self.places = {name: place for place, name in enumerate(header, 1)}
        self.here = [
            (header.index(column.name), n, column) for n, column in enumerate(file.columns) if column.name in header
        ]
        self.usual = {column.name: column.usual for column in file.columns}
        self.has_currency = "currency" in self.usual
        self.currency_place = self.places.get("currency", 0) - 1
        self.packed = struct.Struct(f">{len(file.columns)}I")

    def read(self, cells: list[str], line: int, problems: Problems) -> Row:
        """Without marks when anything is wrong with it."""
        values = self.usual.copy()
        row = Row(line, "", values, "", self.places)
        if len(cells) != self.width:
            message = f"{len(cells)} cells; expected {self.width}, as in the first line"
            problems.add(Problem(self.file.csv, line, 0, "", message))
            return row
        marks = [0] * len(self.file.columns)
        spent_in = self._currency(cells)
        wrong: list[tuple[str, str]] = []
        secrets: list[tuple[int, str]] = []
        for place, n, column in self.here:
            cell = cells[place].strip()
            if not cell:
                if column.needed:
                    wrong.append((column.name, "it is empty; expected a value"))
                continue
            if column.secret:
                secrets.append((n, cell))
            else:
                marks[n] = crc32(cell.encode("utf-8", "surrogatepass"))
            try:
                if column.money:
                    values[column.name] = money(cell, spent_in, signed=column.money == "signed")
                else:
                    values[column.name] = column.read(cell)
            except Wrong as error:
                wrong.append((column.name, str(error)))
        row.id = values["id"] or ""
        for n, cell in secrets:
            marks[n] = self.secret_mark(f"{self.file.name}/{row.id}/{n}/{cell}")
        if self.has_currency:
            values["currency"] = spent_in
        if not wrong and self.file.rule:
            wrong.extend(self.file.rule(values))
        if not wrong:
            row.marks = self.packed.pack(*marks).hex()
        for name, message in wrong:
            problems.add(Problem(self.file.csv, line, self.places.get(name, 0), name, message))
        return row

    def _currency(self, cells: list[str]) -> str:
        """A bad one is told when its own cell is read."""
        written = cells[self.currency_place].strip() if self.currency_place >= 0 else ""
        return written if written in EXPONENTS else self.default_currency


def _next(reader: Any, file: File, problems: Problems) -> list[str] | None:
    line = reader.line_num + 1
    try:
        cells: list[str] | None = next(reader, None)
    except (csv.Error, Unreadable) as error:
        problems.add(Problem(file.csv, line, 0, "", _in_words(error)))
        return None
    return cells


class _Lines:
    """Lines of text, each of bounded length: a file without line ends must not fill the memory."""

    def __init__(self, opened: TextIO) -> None:
        self._opened = opened

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._opened.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise Unreadable(f"a line is longer than {LONGEST_LINE:,} characters; is a line end or a quote missing?")
        if not line:
            raise StopIteration
        return line


def _is_header(cells: list[str], file: File, problems: Problems) -> bool:
    known = [column.name for column in file.columns]
    names = [name.strip() for name in cells]
    before = len(problems.found)
    if len(names) == 1 and ";" in names[0]:
        problems.add(Problem(file.csv, 1, 1, "", "the cells are separated by semicolons; expected commas"))
        return False
    for place, name in enumerate(names, 1):
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
            problems.add(Problem(file.csv, 1, place, "", f"there is no column {shown(name)}; {hint}"))
        elif names.index(name) != place - 1:
            problems.add(Problem(file.csv, 1, place, "", f"the column {name} stands there twice; expected it once"))
    for column in file.columns:
        if column.needed and column.name not in names:
            problems.add(Problem(file.csv, 1, 0, "", f"the column {column.name} is missing; expected {_header(file)}"))
    return len(problems.found) == before


def _header(file: File) -> str:
    return f"a first line with {', '.join(column.name for column in file.columns if column.needed)}"


def _in_words(error: Exception) -> str:
    text = str(error)
    if "field larger" in text:
        return f"a cell is longer than {LONGEST_CELL:,} characters; is a quote missing?"
    if "unexpected end of data" in text:
        return "a quote is opened and not closed"
    if "expected after" in text:
        return "a quote stands in the middle of a cell; quote the whole cell and double the quotes in it"
    return text
