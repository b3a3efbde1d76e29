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
    schema: Schema = {name: {} for name in sorted(await database().engine.table_names())}
    for row in await _rows(SQLITE if database().dialect == "sqlite" else POSTGRES):
        if row["of"] in schema:
            type = row["type"].upper().replace("CHARACTER VARYING", "VARCHAR")
            type = type.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ")
            schema[row["of"]][row["name"]] = Found(type, bool(row["null"]), bool(row["key"]))
    return schema


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


SQLITE = """
SELECT t.name AS of, c.name AS name, c.type AS type, NOT (c."notnull" OR c.pk) AS "null", c.pk AS key
  FROM sqlite_master t, pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY t.name, c.cid
"""
POSTGRES = """
SELECT t.relname AS of, c.attname AS name, format_type(c.atttypid, c.atttypmod) AS type,
       NOT c.attnotnull AS null, coalesce(c.attnum = ANY(k.indkey), false) AS key
  FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped
  LEFT JOIN pg_index k ON k.indrelid = t.oid AND k.indisprimary
 WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::regnamespace ORDER BY t.relname, c.attnum
"""


async def _rows(sql: str) -> list[dict[str, Any]]:
    (rows,) = await database().engine.batch_read([(sql, ())])
    return rows
