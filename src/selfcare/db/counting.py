"""How many statements ran: what the query-count tests ask."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_listening: list[Count] = []


class Count:
    """The statements that ran while it listened, in order."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __len__(self) -> int:
        return len(self.statements)

    @property
    def total(self) -> int:
        return len(self.statements)


@contextmanager
def counting() -> Iterator[Count]:
    """Counts every statement of this process while it is open, BEGIN and COMMIT aside."""
    count = Count()
    _listening.append(count)
    try:
        yield count
    finally:
        _listening.remove(count)


def note(sql: str) -> None:
    for count in _listening:
        count.statements.append(sql)
