"""Statements that are written once, compiled once per database, and then only given values.

    LATEST = Prepared(lambda: Invoice.select(Invoice.number).where(Invoice.customer_id == Param("customer")))
    OWED = Prepared.sql("SELECT sum(open_minor) AS owed FROM invoice WHERE customer_id = :who", types={"owed": int})

    invoices, owed = await fetch_many(LATEST.bind(customer=scope.customer_id), OWED.bind(who=scope.customer_id))

Building a Piccolo query costs more than running it; here that happens at the first use only. Everything that is read in
one `fetch_many` is one snapshot. Inside `transaction()` all of this sees the transaction's own writes.

Text is portable SQL: `:name` for values, `IN :names` for a list of them. `types` says what an expression is where the
database cannot know (sums, minima, JSON in hand-written text): it is called with each value that is not null.
`short` promises a read of some dozen rows through an index: on SQLite it is then done without a thread.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from piccolo.columns import JSON, JSONB, Column
from piccolo.engine.exceptions import TransactionError
from piccolo.query.base import Query
from piccolo.table import Table

from selfcare.db.engine import Dialect, Row, current, database, writes
from selfcare.kernel.ids import text_of
from selfcare.kernel.values import value

Types = Mapping[str, Callable[[Any], Any]]


@dataclass(frozen=True)
class Param:
    """Where a value will stand."""

    name: str


@value
class Bound:
    """A statement with its values, ready to run."""

    statement: Compiled
    values: list[Any]

    @property
    def read(self) -> tuple[str, list[Any]]:
        if self.statement.writes:
            raise TransactionError("`fetch` reads; use `execute` inside `async with transaction()`")
        return self.statement.sql, self.values

    def typed(self, rows: list[Row]) -> list[Row]:
        for name, of in self.statement.types.items():
            for row in rows:
                if row[name] is not None:
                    row[name] = of(row[name])
        return rows


class Prepared:
    def __init__(self, query: Callable[[], Query[Any, Any]], *, types: Types | None = None) -> None:
        self._query = query
        self._text: str | None = None
        self._types = dict(types or {})
        self._compiled: dict[Dialect, Compiled] = {}

    @classmethod
    def sql(cls, text: str, *, types: Types | None = None) -> Prepared:
        prepared = cls(_no_query, types=types)
        prepared._text = text
        return prepared

    def bind(self, **values: Any) -> Bound:
        dialect = database().dialect
        compiled = self._compiled.get(dialect) or self._compile(dialect)
        return Bound(compiled, compiled.fill(values))

    def _compile(self, dialect: Dialect) -> Compiled:
        if self._text is None:
            compiled = _from_query(self._query(), dialect, self._types)
        else:
            compiled = _from_text(self._text, dialect, self._types)
        self._compiled[dialect] = compiled
        return compiled


async def fetch(asked: Bound, *, short: bool = False) -> list[Row]:
    (rows,) = await fetch_many(asked, short=short)
    return rows


async def fetch_one(asked: Bound, *, short: bool = False) -> Row | None:
    rows = await fetch(asked, short=short)
    return rows[0] if rows else None


async def fetch_many(*asked: Bound, short: bool = False) -> tuple[list[Row], ...]:
    answers = await database().engine.batch_read([bound.read for bound in asked], short=short)
    return tuple(bound.typed(rows) for bound, rows in zip(asked, answers, strict=True))


async def execute(asked: Bound) -> list[Row]:
    """A write, inside `transaction()`; the rows of its RETURNING."""
    return asked.typed(await _open_transaction().rows(asked.statement.sql, asked.values))


async def execute_many(statement: Prepared, values: Iterable[Mapping[str, Any]]) -> None:
    """The same write for many rows, inside `transaction()`, in one go."""
    transaction = _open_transaction()
    bound = [statement.bind(**each) for each in values]
    if bound:
        await transaction.many(bound[0].statement.sql, [each.values for each in bound])


async def insert_many(table: type[Table], rows: Iterable[Mapping[str, Any]]) -> None:
    """Many new rows, inside `transaction()`. Columns that are not named get the default of the table class."""
    columns = table._meta.columns
    defaults = {column._meta.name: column.get_default_value() for column in columns}
    names = list(defaults)
    values = [[_storable(row.get(name, defaults[name])) for name in names] for row in rows]
    if values:
        await _open_transaction().insert(table._meta.tablename, [c._meta.db_column_name for c in columns], values)


def as_moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else value


def as_date(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def as_uuid(value: UUID | str) -> UUID:
    return UUID(value) if isinstance(value, str) else value


def as_json(value: str) -> Any:
    return json.loads(value)


@value
class Compiled:
    sql: str
    # A name for a value that is given, anything else is a constant of the query.
    slots: tuple[Param | Any, ...]
    # The names alone, where there are no constants.
    order: tuple[str, ...] | None
    names: frozenset[str]
    lists: frozenset[str]
    dialect: Dialect
    types: Types
    writes: bool

    def fill(self, given: Mapping[str, Any]) -> list[Any]:
        if given.keys() != self.names:
            raise TypeError(f"this statement takes {sorted(self.names)}, not {sorted(given)}")
        order = self.order
        if order is not None:
            return [value if type(value := given[name]) in _AS_IT_IS else self._value(name, value) for name in order]
        return [self._value(slot.name, given[slot.name]) if type(slot) is Param else slot for slot in self.slots]

    def _value(self, name: str, value: Any) -> Any:
        if name not in self.lists:
            if self.dialect == "sqlite":
                if type(value) is UUID:
                    return text_of(value)
                if type(value) is datetime:
                    return _moment_as_text(value)
            return _storable(value)
        if self.dialect == "postgres":
            return list(value)
        # A tuple is the same for every request: the names of a closed list, say.
        return _list_in_json(value) if type(value) is tuple else json.dumps([_in_json(each) for each in value])


def _storable(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError("a time without its zone cannot be stored or compared")
    if isinstance(value, dict | list | tuple):
        return json.dumps(value)
    return value


_AS_IT_IS = frozenset({str, int})


# One `now` stands in several statements of a request.
_latest: tuple[datetime | None, str] = (None, "")


def _moment_as_text(value: datetime) -> str:
    """As SQLite keeps it."""
    global _latest
    known, text = _latest
    if known is not value:
        text = (value if value.tzinfo is UTC else _storable(value).astimezone(UTC)).isoformat(" ")
        _latest = value, text
    return text


@lru_cache(maxsize=256)
def _list_in_json(values: tuple[Any, ...]) -> str:
    return json.dumps([_in_json(each) for each in values])


def _in_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return str(value.astimezone(UTC))
    return value if isinstance(value, int | str | None) else str(value)


def _from_query(query: Query[Any, Any], dialect: Dialect, types: Types) -> Compiled:
    (statement,) = query.querystrings
    sql, values = statement.compile_string(engine_type=dialect)
    names = frozenset(value.name for value in values if type(value) is Param)
    constants = [value if type(value) is Param else _storable(value) for value in values]
    types = {**_json_of(query), **types}
    return Compiled(sql, tuple(constants), None, names, frozenset(), dialect, types, writes(sql))


def _json_of(query: Query[Any, Any]) -> dict[str, Callable[[Any], Any]]:
    """JSON comes as text from both drivers."""
    named: Sequence[Any] = ()
    if delegate := getattr(query, "columns_delegate", None):
        named = delegate.selected_columns or query.table._meta.columns
    elif (delegate := getattr(query, "returning_delegate", None)) and delegate._returning:
        named = delegate._returning.columns
    return {_name_of(column): as_json for column in named if isinstance(column, JSON | JSONB)}


def _name_of(column: Column) -> str:
    return column._alias or str(column._meta.get_default_alias())  # type: ignore[no-untyped-call]


# Quoted text is stepped over, so that a colon in it is not taken for a value.
PLACES = re.compile(r"'[^']*'|\"[^\"]*\"|::|(?:\b(?P<not>NOT\s+)?IN\s+:(?P<list>[a-z_]\w*))|:(?P<one>[a-z_]\w*)", re.I)


def _from_text(text: str, dialect: Dialect, types: Types) -> Compiled:
    order: list[str] = []
    lists: set[str] = set()
    mark = "?" if dialect == "sqlite" else "$"

    def place(name: str) -> str:
        if name not in order:
            order.append(name)
        return f"{mark}{order.index(name) + 1}"

    def replace(found: re.Match[str]) -> str:
        if name := found["one"]:
            return place(name)
        if not (name := found["list"]):
            return found[0]
        lists.add(name)
        if dialect == "sqlite":
            return f"{found['not'] or ''}IN (SELECT value FROM json_each({place(name)}))"
        return f"{'<> ALL' if found['not'] else '= ANY'}({place(name)})"

    sql = PLACES.sub(replace, text)
    slots = tuple(Param(name) for name in order)
    return Compiled(sql, slots, tuple(order), frozenset(order), frozenset(lists), dialect, types, writes(sql))


def _open_transaction() -> Any:
    transaction = current()
    if transaction is None or transaction.readonly:
        raise TransactionError("write inside `async with transaction()`")
    return transaction


def _no_query() -> Query[Any, Any]:
    raise NotImplementedError
