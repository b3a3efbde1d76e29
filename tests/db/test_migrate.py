from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from selfcare.db import migrate as module
from selfcare.db.counters import take
from selfcare.db.engine import Database, transaction
from selfcare.db.migrate import MigrationFailed, migrate, migrations, pending
from selfcare.places import folder
from tests.db.runners import migrate_once
from tests.support import databases
from tests.support.processes import together
from tests.support.schema import Schema, read_schema

ALL = [migration.id for migration in migrations()]


@pytest.fixture
async def blank(templates: databases.Templates, kind: str, tmp_path: Path) -> AsyncIterator[Database]:
    """Open, and nothing in it."""
    async with templates.copy(kind, None, tmp_path) as url, databases.opened(url) as database:
        yield database


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of migrations for the test to fill."""
    place = tmp_path / "migrations"
    place.mkdir()
    monkeypatch.setattr(module, "folder", lambda _name: place)
    return place


def write(place: Path, number: str, forwards: object, backwards: object = ()) -> None:
    text = f"ID = {number!r}\nDESCRIPTION = 'test'\nFORWARDS = {forwards!r}\nBACKWARDS = {backwards!r}\n"
    (place / f"m{number}_test.py").write_text(text)


async def test_forwards_backwards_and_forwards_again_ends_with_the_same_schema(blank: Database) -> None:
    report = await migrate()
    assert [migration.id for migration in report.applied] == ALL
    assert report.backup is None
    once = await read_schema()

    report = await migrate(to="0000")
    assert [migration.id for migration in report.undone] == ALL[::-1]
    assert set(await read_schema()) == {"migration"}

    await migrate()
    assert await read_schema() == once


async def test_each_migration_goes_back_to_where_it_came_from(blank: Database) -> None:
    schemas: list[Schema] = []
    for id in ALL:
        await migrate(to=id)
        schemas.append(await read_schema())
    for id, schema in zip(ALL[-2::-1], schemas[-2::-1], strict=True):
        await migrate(to=id)
        assert await read_schema() == schema


async def test_a_second_run_finds_nothing_to_do(blank: Database) -> None:
    assert [migration.id for migration in await pending()] == ALL
    await migrate()
    assert await pending() == []
    report = await migrate()
    assert (report.applied, report.undone, report.backup) == ((), (), None)


async def test_of_two_runners_at_once_one_does_the_work(blank: Database) -> None:
    one, two = await together(migrate_once, (blank.url,), (blank.url,))
    assert sorted([one, two]) == [[], ALL]
    assert await pending() == []


async def test_a_migration_that_fails_changes_nothing(blank: Database, place: Path) -> None:
    write(place, "0001", ("CREATE TABLE good (id UUID PRIMARY KEY)",))
    write(place, "0002", ("CREATE TABLE half (id UUID PRIMARY KEY)", "CREATE TABLE bad (id UUID PRIMARY"))
    with pytest.raises(MigrationFailed, match=r"m0002_test\.py.*CREATE TABLE bad"):
        await migrate()
    assert await blank.engine.table_names() == set()
    write(place, "0002", ("CREATE TABLE half (id UUID PRIMARY KEY)",))
    assert [migration.id for migration in (await migrate()).applied] == ["0001", "0002"]


async def test_each_database_gets_its_own_text_where_they_differ(blank: Database, place: Path) -> None:
    write(
        place,
        "0001",
        ({"sqlite": ("CREATE TABLE only_sqlite (id UUID)",), "postgres": ("CREATE TABLE only_postgres (id UUID)",)},),
    )
    await migrate()
    assert await blank.engine.table_names() == {"migration", f"only_{blank.dialect}"}


async def test_a_table_may_be_rebuilt_while_others_refer_to_it(blank: Database, place: Path) -> None:
    first = (
        "CREATE TABLE one (id BIGINT PRIMARY KEY)",
        "CREATE TABLE two (id BIGINT PRIMARY KEY, one_id BIGINT NOT NULL REFERENCES one (id))",
        "INSERT INTO one (id) VALUES (1)",
        "INSERT INTO two (id, one_id) VALUES (1, 1)",
    )
    write(place, "0001", first)
    await migrate()
    rebuild = (
        "CREATE TABLE one_new (id BIGINT PRIMARY KEY, name TEXT)",
        "INSERT INTO one_new (id, name) SELECT id, 'old' FROM one",
        "DROP TABLE one",
        "ALTER TABLE one_new RENAME TO one",
    )
    write(place, "0002", ({"sqlite": rebuild, "postgres": ("ALTER TABLE one ADD COLUMN name TEXT",)},))
    await migrate()
    write(place, "0003", ("DELETE FROM one",))
    with pytest.raises((MigrationFailed, sqlite3.IntegrityError), match=r"refers to nothing|violates foreign key"):
        await migrate()
    async with transaction() as open_one:
        assert len(await open_one.rows("SELECT * FROM one", ())) == 1


async def test_a_database_of_a_newer_version_is_refused(blank: Database, place: Path) -> None:
    write(place, "0001", ("CREATE TABLE one (id UUID)",))
    write(place, "0009", ("CREATE TABLE nine (id UUID)",))
    await migrate()
    (place / "m0009_test.py").unlink()
    with pytest.raises(MigrationFailed, match="newer version"):
        await migrate()


async def test_one_that_comes_late_is_applied_too(blank: Database, place: Path) -> None:
    write(place, "0001", ("CREATE TABLE one (id UUID)",))
    write(place, "0009", ("CREATE TABLE nine (id UUID)",))
    await migrate()
    write(place, "0003", ("CREATE TABLE three (id UUID)",))
    assert [migration.id for migration in (await migrate()).applied] == ["0003"]


async def test_a_sqlite_file_with_data_is_copied_first(database: Database, kind: str, tmp_path: Path) -> None:
    async with transaction():
        await take("invoice")
    backup: Any = (await migrate(to=ALL[-2])).backup
    if kind == "postgres":
        assert backup is None
        return
    assert backup.stat().st_mode & 0o077 == 0
    copy = sqlite3.connect(backup)
    assert copy.execute("SELECT value FROM counter").fetchall() == [(1,)]
    assert copy.execute("SELECT max(id) FROM migration").fetchone() == (ALL[-1],)
    copy.close()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("m0001_a.py", "ID = '0002'\nDESCRIPTION = 'a'\nFORWARDS = BACKWARDS = ()", "must begin with m0002_"),
        ("m0001_a.py", "ID = '0001'\nDESCRIPTION = \"a'\"\nFORWARDS = BACKWARDS = ()", "plain words"),
    ],
)
def test_a_file_that_says_something_else_than_its_name_is_refused(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(MigrationFailed, match=words):
        migrations(tmp_path)


def test_two_files_with_one_number_are_refused(tmp_path: Path) -> None:
    for name in "ab":
        text = "ID = '0001'\nDESCRIPTION = 'a'\nFORWARDS = BACKWARDS = ()"
        (tmp_path / f"m0001_{name}.py").write_text(text)
    with pytest.raises(MigrationFailed, match="same ID"):
        migrations(tmp_path)


def test_the_folders_of_this_checkout_are_found() -> None:
    assert (folder("migrations") / "m0002_counters.py").is_file()
