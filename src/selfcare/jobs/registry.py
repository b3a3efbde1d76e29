"""Which handler does which kind of job. A handler may run twice for the same key, so it asks first what is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID


class GiveUp(Exception):
    """Trying again is no use: straight to the dead letters, with these words."""


class Later(Exception):
    """Nothing went wrong, it is only not the time yet. Does not count as a try."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


@dataclass(frozen=True, slots=True)
class Job:
    id: UUID
    kind: str
    key: str
    payload: Mapping[str, Any]
    # 1 at the first time.
    attempt: int


Handler: TypeAlias = Callable[[Job], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Task:
    handler: Handler
    tries: int
    time_limit_seconds: float


class Registry:
    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def add(self, kind: str, handler: Handler, *, tries: int = 10, time_limit_seconds: float = 300) -> None:
        if kind in self._tasks:
            raise ValueError(f"{kind} has a handler already")
        self._tasks[kind] = Task(handler, tries, time_limit_seconds)

    def become(self, other: Registry) -> None:
        """Do from now on what `other` does; what is under way is finished as it began."""
        self._tasks = other._tasks

    @property
    def kinds(self) -> list[str]:
        return sorted(self._tasks)

    def __getitem__(self, kind: str) -> Task:
        return self._tasks[kind]

    def __contains__(self, kind: str) -> bool:
        return kind in self._tasks
