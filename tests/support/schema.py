"""The schema of the open database in words that are the same for both."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from selfcare.db.engine import database


class Found(NamedTuple):
    type: str
    null: bool
    key: bool


Schema: TypeAlias = dict[str, dict[str, Found]]


async def read_schema() -> Schema:
    names = sorted(await database().engine.table_names())
    read = _sqlite if database().dialect == "sqlite" else _postgres
    return {name: await read(name) for name in names}


async def unique_columns(table: str) -> set[str]:
    """The columns that are unique on their own, primary keys aside."""
    if database().dialect == "postgres":
        rows = await _rows(
            "SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a"
            " ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]"
            f" WHERE i.indrelid = '\"{table}\"'::regclass AND i.indisunique AND NOT i.indisprimary"
            " AND i.indnatts = 1 AND i.indpred IS NULL AND i.indexprs IS NULL"
        )
        return {row["name"] for row in rows}
    found = set()
    for index in await _rows(f"SELECT * FROM pragma_index_list('{table}')"):
        columns = await _rows(f"SELECT name FROM pragma_index_info('{index['name']}')")
        if index["unique"] and not index["partial"] and index["origin"] != "pk" and len(columns) == 1:
            found.add(columns[0]["name"])
    return found - {None}


async def _sqlite(table: str) -> dict[str, Found]:
    rows = await _rows(f"SELECT * FROM pragma_table_info('{table}')")
    return {row["name"]: Found(row["type"], not row["notnull"] and not row["pk"], bool(row["pk"])) for row in rows}


POSTGRES = {"CHARACTER VARYING": "VARCHAR", "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}


async def _postgres(table: str) -> dict[str, Found]:
    keys = await _rows(
        "SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a"
        f" ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) WHERE i.indrelid = '\"{table}\"'::regclass"
        " AND i.indisprimary"
    )
    key = {row["name"] for row in keys}
    rows = await _rows(
        "SELECT column_name, data_type, character_maximum_length AS length, is_nullable FROM information_schema.columns"
        f" WHERE table_name = '{table}' AND table_schema = current_schema() ORDER BY ordinal_position"
    )
    return {
        row["column_name"]: Found(_type(row), row["is_nullable"] == "YES", row["column_name"] in key) for row in rows
    }


def _type(row: dict[str, Any]) -> str:
    plain = POSTGRES.get(row["data_type"].upper(), row["data_type"].upper())
    return f"{plain}({row['length']})" if row["length"] else plain


async def _rows(sql: str) -> list[dict[str, Any]]:
    (rows,) = await database().engine.batch_read([(sql, ())])
    return rows
