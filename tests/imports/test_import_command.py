"""`selfcare import` as an operator types it."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from selfcare.cli import main
from tests.support.imports import EXAMPLE


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/selfcare.db"


def run(url: str, *arguments: str) -> Result:
    result = CliRunner().invoke(main, arguments, env={"SELFCARE_DATABASE_URL": url})
    assert "Traceback" not in result.output
    return result


def test_the_example_is_imported_and_counted(url: str) -> None:
    run(url, "migrate")
    result = run(url, "import", str(EXAMPLE))
    assert result.exit_code == 0, result.output
    assert "customers                3 rows: 3 added, 0 changed, 0 as they were" in result.output
    assert "4 people are invited by mail." in result.output
    again = run(url, "import", str(EXAMPLE))
    assert "customers                3 rows: 0 added, 0 changed, 3 as they were" in again.output


def test_a_check_says_that_nothing_was_imported(url: str) -> None:
    run(url, "migrate")
    assert "Nothing was imported: this was only a check." in run(url, "import", str(EXAMPLE), "--check").output
    assert "3 added" in run(url, "import", str(EXAMPLE)).output


def test_mistakes_are_listed_and_the_command_fails(url: str, tmp_path: Path) -> None:
    run(url, "migrate")
    files = tmp_path / "files"
    shutil.copytree(EXAMPLE, files)
    (files / "sites.csv").write_text((EXAMPLE / "sites.csv").read_text().replace("GB", "UK!"))
    result = run(url, "import", str(files))
    assert result.exit_code == 1
    assert 'sites.csv:2:7: country: "UK!" is no country; expected two capital letters like GB' in result.output
    assert 'sites.csv:3:7: country: "UK!" is no country' in result.output


def test_a_database_without_its_tables_says_what_to_do(url: str) -> None:
    result = run(url, "import", str(EXAMPLE))
    assert result.exit_code == 1
    assert "Run: selfcare migrate" in result.output


def test_a_folder_that_is_not_there_is_named(url: str, tmp_path: Path) -> None:
    result = run(url, "import", str(tmp_path / "nowhere"))
    assert result.exit_code == 2
    assert "does not exist" in result.output
