"""Reads one CSV file line by line, in constant memory, and says where it is not what it should be."""

from __future__ import annotations

import csv
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TextIO
from zlib import crc32

from selfcare.imports.columns import Wrong, currency, money, shown
from selfcare.imports.files import File, Values
from selfcare.imports.problems import Problem, Problems

LONGEST_CELL = 100_000
LONGEST_LINE = 1_000_000


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
    said: Callable[[int], object],
    refused: Callable[[str], object],
) -> Iterator[Row]:
    """The good rows. `said` is called with the bytes read so far, `refused` with the id of a bad row."""
    csv.field_size_limit(LONGEST_CELL)
    # Bytes that are not UTF-8 become surrogates, so that their cell can be named.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as opened:
        binary: Any = opened.buffer
        lines = _Lines(opened)
        reader = csv.reader(lines, strict=True)
        places: list[int] | None = None
        numbers: dict[str, int] = {}
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except (csv.Error, Unreadable) as error:
                problems.add(Problem(file.csv, line, 0, "", _in_words(error)))
                return
            if cells is None:
                break
            if places is None:
                places = _places(cells, file, problems)
                if not places:
                    return
                width = len(cells)
                numbers = {column.name: place + 1 for column, place in zip(file.columns, places, strict=True)}
            elif cells:
                said(binary.tell())
                if len(cells) != width:
                    wrong = f"{len(cells)} cells; expected {width}, as in the first line"
                    problems.add(Problem(file.csv, line, 0, "", wrong))
                    continue
                row = Row(line, "", {}, "", numbers)
                if _fill(
                    row,
                    [cells[place].strip() if place >= 0 else "" for place in places],
                    file,
                    problems,
                    default_currency,
                ):
                    yield row
                elif row.id:
                    refused(row.id)
        if places is None:
            problems.add(Problem(file.csv, 1, 0, "", f"the file is empty; expected {_header(file)}"))


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


def _places(header: list[str], file: File, problems: Problems) -> list[int]:
    """For each column of the file its place in the line, -1 where it is left out; nothing when the header is wrong."""
    known = [column.name for column in file.columns]
    names = [name.strip() for name in header]
    before = len(problems.found)
    if len(names) == 1 and ";" in names[0]:
        problems.add(Problem(file.csv, 1, 1, "", "the cells are separated by semicolons; expected commas"))
        return []
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
    if len(problems.found) > before:
        return []
    return [names.index(name) if name in names else -1 for name in known]


def _fill(row: Row, cells: list[str], file: File, problems: Problems, default_currency: str) -> bool:
    """False when anything is wrong with the row."""
    before = len(problems.found)

    def wrong(name: str, message: str) -> None:
        problems.add(Problem(file.csv, row.line, row.places[name], name, message))

    for cell, column in zip(cells, file.columns, strict=True):
        if not cell:
            row.values[column.name] = column.usual
            if column.needed:
                wrong(column.name, "it is empty; expected a value")
            continue
        try:
            row.values[column.name] = cell if column.money else column.read(cell)
        except Wrong as error:
            wrong(column.name, str(error))
    row.id = row.values.get("id") or ""
    if len(problems.found) == before:
        _finish(row.values, file, default_currency, wrong)
    packed = struct.pack(f">{len(cells)}I", *[crc32(cell.encode("utf-8", "surrogatepass")) for cell in cells])
    row.marks = packed.hex()
    return len(problems.found) == before


def _finish(values: Values, file: File, default_currency: str, wrong: Callable[[str, str], None]) -> None:
    """Amounts, which need the currency of their row, and the rules between columns."""
    if "currency" in values and values["currency"] is None:
        values["currency"] = currency(default_currency)
    fine = True
    for column in file.columns:
        value: Any = values[column.name]
        if column.money and isinstance(value, str):
            try:
                values[column.name] = money(value, values["currency"], signed=column.money == "signed")
            except Wrong as error:
                fine = False
                wrong(column.name, str(error))
    if fine and file.rule:
        for name, message in file.rule(values):
            wrong(name, message)


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
