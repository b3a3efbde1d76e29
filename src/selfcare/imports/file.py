"""What a file of an import is: its columns, whose rows it holds, and the rule between columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias
from uuid import UUID

from selfcare.imports.columns import Column, Reader, code, currency

Values: TypeAlias = dict[str, Any]
Rule: TypeAlias = Callable[[Values], Iterator[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class File:
    """`owner` is the column that tells whose row it is; `fixed` are database columns no cell says anything about.

    `seal` turns a secret into what its column holds: row, column, secret, keys.
    """

    name: str
    table: str
    columns: tuple[Column, ...]
    owner: str | None = None
    rule: Rule | None = None
    fixed: dict[str, Any] = field(default_factory=dict)
    stamped: tuple[str, ...] = ("created_at",)
    seal: Callable[[UUID, str, str, Sequence[bytes]], str] | None = None

    @property
    def csv(self) -> str:
        return f"{self.name}.csv"

    @cached_property
    def has_owner(self) -> bool:
        return self.owner is not None

    @cached_property
    def linked(self) -> tuple[Column, ...]:
        """The columns that name rows of other files."""
        return tuple(column for column in self.columns if column.refers or column.mentions)

    @cached_property
    def names_itself(self) -> bool:
        return any(column.refers == self.name for column in self.columns)


def col(name: str, read: Reader, about: str, **more: Any) -> Column:
    return Column(name=name, read=read, about=about, **{"to": name} | more)


def own_id(what: str) -> Column:
    return col(
        "id", code, f"Your own id of the {what}; a later import finds the row by it.", needed=True, to="external_id"
    )


def of(file: str, about: str, name: str | None = None, *, needed: bool = True, to: str | None = None) -> Column:
    name = name or file.removesuffix("s")
    return Column(name=name, read=code, about=about, needed=needed, refers=file, to=to or f"{name}_id")


def amount(name: str, about: str, *, signed: bool = False, to: str | None = None, **more: Any) -> Column:
    kind: Any = "signed" if signed else "positive"
    return Column(name=name, read=str, about=about, money=kind, to=to or f"{name}_minor", **more)


CURRENCY = col("currency", currency, "Code like GBP. Empty: the currency of the settings.")
