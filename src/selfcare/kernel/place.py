"""Where a page of a list by time ends: the next begins after it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from selfcare.kernel.values import value


@value
class Place:
    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.id}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """None for what is no place: links get mangled."""
        at, _mark, id = text.partition("~")
        try:
            return cls(datetime.fromisoformat(at).astimezone(UTC), UUID(id))
        except (ValueError, OverflowError):
            return None
