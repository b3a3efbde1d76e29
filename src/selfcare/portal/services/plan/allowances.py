"""What a plan gives, beside what another gives, and what an upgrade puts in for the rest of the period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from selfcare.ports.charging import KINDS, Bucket

Given: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One kind and scope in both plans. `old` and `new`: None is nothing, `unlimited` stands for itself."""

    kind: str
    scope: str
    old: int | None
    new: int | None
    old_unlimited: bool
    new_unlimited: bool

    @property
    def more(self) -> int:
        """What comes on top of what is left."""
        return max(0, (self.new or 0) - (self.old or 0)) if not self.new_unlimited and not self.old_unlimited else 0

    @property
    def becomes_unlimited(self) -> bool:
        return self.new_unlimited and not self.old_unlimited


def compare(old: Iterable[Given], new: Iterable[Given]) -> list[Line]:
    before, after = _by_place(old), _by_place(new)
    places = sorted(before | after, key=lambda place: (KINDS.index(place[0]), place[1]))
    return [_line(place, before.get(place), after.get(place)) for place in places]


def puts(
    old: Sequence[Given], new: Sequence[Given], held: Iterable[Bucket], *, until: datetime, currency: str, now: datetime
) -> list[dict[str, Any]]:
    """Nothing that is left is taken away before the period ends; on top comes what the new plan gives more."""
    lines = {(line.kind, line.scope): line for line in compare(old, new)}
    there = [bucket for bucket in held if bucket.origin == "plan" and bucket.is_live(now)]
    found = []
    for place, given in _by_place(new).items():
        line = lines[place]
        if line.more or line.becomes_unlimited:
            found.append(_put(given[0], line, there, until, currency))
    return found


def _put(given: Given, line: Line, there: Sequence[Bucket], until: datetime, currency: str) -> dict[str, Any]:
    like = next((one for one in there if (one.kind, one.scope) == (line.kind, line.scope)), None)
    # With the end of what is there it goes into the same bucket.
    ends = like.expires_at if like and like.expires_at else until - timedelta(seconds=1)
    return {
        "kind": line.kind,
        "amount": None if line.becomes_unlimited else line.more,
        "label": like.label if like else given["label"],
        "origin": "plan",
        "mode": "reset" if line.becomes_unlimited and like else "add",
        "scope": line.scope,
        "consume_order": like.consume_order if like else given.get("consume_order", 3),
        "expires_at": ends.isoformat(),
        "currency": currency if line.kind == "money" else None,
        "counts_mms": like.counts_mms if like else given.get("counts_mms", False),
        "blocker": like.blocker if like else given.get("blocker", False),
    }


def _by_place(grants: Iterable[Given]) -> dict[tuple[str, str], list[Given]]:
    found: dict[tuple[str, str], list[Given]] = {}
    for given in grants:
        found.setdefault((given["kind"], given.get("scope", "any")), []).append(given)
    return found


def _line(place: tuple[str, str], old: list[Given] | None, new: list[Given] | None) -> Line:
    return Line(*place, _sum(old), _sum(new), _is_unlimited(old), _is_unlimited(new))


def _sum(grants: list[Given] | None) -> int | None:
    return sum(given["amount"] or 0 for given in grants) if grants else None


def _is_unlimited(grants: list[Given] | None) -> bool:
    return any(given["amount"] is None for given in grants or ())
