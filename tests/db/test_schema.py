"""The table classes and the migrations say the same; covers whatever `tables.py` a feature adds."""

from __future__ import annotations

from typing import Any

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Date, Text, Timestamptz, Varchar

from selfcare.db.engine import Database
from selfcare.db.tables import all_tables
from tests.support.schema import Found, read_schema, unique_columns

TYPES = {UUID: "UUID", BigInt: "BIGINT", Boolean: "BOOLEAN", Date: "DATE", Text: "TEXT", Timestamptz: "TIMESTAMPTZ"}
TYPES |= {JSONB: "JSONB"}
# Kept by db/counters.py and db/migrate.py in plain SQL.
WITHOUT_CLASS = {"counter", "migration"}


def said(column: Any) -> Found:
    length = f"({column.length})" if type(column) is Varchar else ""
    kind = "VARCHAR" if type(column) is Varchar else TYPES.get(type(column), "a type that is not for both databases")
    return Found(kind + length, column._meta.null, column._meta.primary_key)


async def test_every_table_class_equals_its_migrations(database: Database) -> None:
    schema = await read_schema()
    for table in all_tables():
        name = table._meta.tablename
        assert (name, {column._meta.db_column_name: said(column) for column in table._meta.columns}) == (
            name,
            schema.get(name),
        )
        unique = {column._meta.db_column_name for column in table._meta.columns if column._meta.unique}
        assert (name, unique) == (name, await unique_columns(name))
        assert table._meta.constraints == [], name


async def test_every_table_of_the_database_has_one_class(database: Database) -> None:
    named = [table._meta.tablename for table in all_tables()]
    assert len(set(named)) == len(named)
    assert set(named) == set(await read_schema()) - WITHOUT_CLASS


async def test_every_table_can_be_read_through_its_class(database: Database) -> None:
    for table in all_tables():
        assert await table.select() == []
