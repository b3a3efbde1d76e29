"""Values of a message on their way through the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from selfcare.kernel.money import Money


def pack(values: Mapping[str, object]) -> dict[str, Any]:
    return {name: _pack(value) for name, value in values.items() if value is not None}


def unpack(packed: Mapping[str, Any]) -> dict[str, object]:
    return {name: _unpack(value) for name, value in packed.items()}


def _pack(value: object) -> object:
    match value:
        case bool() | int():
            return value
        case str():
            return str(value).encode("utf-8", "replace").decode().replace("\x00", "")
        case UUID():
            return str(value)
        case Money():
            return {"money": [value.minor, value.currency]}
        case datetime():
            return {"moment": value.isoformat()}
        case date():
            return {"date": value.isoformat()}
        case _:
            raise TypeError(f"a message takes no {type(value).__name__}")


def _unpack(value: Any) -> object:
    match value:
        case {"money": [int(minor), str(currency)]}:
            return Money(minor, currency)
        case {"moment": str(text)}:
            return datetime.fromisoformat(text)
        case {"date": str(text)}:
            return date.fromisoformat(text)
        case _:
            plain: object = value
            return plain
