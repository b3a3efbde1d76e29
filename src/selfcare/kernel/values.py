"""Values that are made by the dozen for every page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def value(cls: type[T]) -> type[T]:
    """A dataclass that is frozen for the type checker. At run time it is a plain one with slots: a frozen one takes
    four times as long to make, and a page makes some hundred of them."""
    return dataclass(slots=True, unsafe_hash=True)(cls)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def named_value(cls: type[T]) -> type[T]:
    """`value`, made by the names of its fields alone."""
    made: Callable[[Any], Any] = dataclass(slots=True, unsafe_hash=True, kw_only=True)
    return made(cls)  # type: ignore[no-any-return]
