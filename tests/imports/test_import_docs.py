"""docs/import.md says what the code reads: every file, every column, which are needed."""

import csv
import re

from selfcare.imports.files import FILES
from selfcare.places import CHECKOUT
from tests.support.imports import EXAMPLE

TEXT = (CHECKOUT / "docs" / "import.md").read_text()


def documented() -> dict[str, list[tuple[str, bool]]]:
    found: dict[str, list[tuple[str, bool]]] = {}
    for part in TEXT.split("\n## ")[1:]:
        file, _, text = part.partition("\n")
        table = text.split("\n\n`grants`")[0]
        columns = re.findall(r"^\| `(\w+)` \| (yes|) ?\|", table, re.MULTILINE)
        if file.endswith(".csv"):
            found[file] = [(name, needed == "yes") for name, needed in columns]
    return found


def test_every_file_and_column_is_documented_in_order() -> None:
    assert documented() == {file.csv: [(column.name, column.needed) for column in file.columns] for file in FILES}


def test_every_column_has_a_meaning() -> None:
    assert not re.findall(r"^\| `\w+` \| (?:yes)? ?\| *\|$", TEXT, re.MULTILINE)


def test_the_example_has_every_file_and_its_needed_columns() -> None:
    for file in FILES:
        with (EXAMPLE / file.csv).open(newline="") as opened:
            header = next(csv.reader(opened))
        assert {column.name for column in file.columns if column.needed} <= set(header)
        assert set(header) <= {column.name for column in file.columns}
