"""Where an allowance went: what was put in, what each bucket gave, what ended unused, what is left.

It adds up to the unit: granted + carried over = used, by bucket + used but not itemised + ended unused + left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from selfcare.ports.charging import Bucket, Granted, rank


class Part(StrEnum):
    GRANTED = "granted"
    CARRIED = "carried"
    USED = "used"
    NOT_ITEMISED = "not_itemised"
    ENDED = "ended"
    LEFT = "left"


INTO = (Part.GRANTED, Part.CARRIED)


@dataclass(frozen=True, slots=True)
class Fall:
    """One step down (or, for what was put in, up)."""

    part: Part
    amount: int
    bucket: Bucket | None = None


@dataclass(frozen=True, slots=True)
class Waterfall:
    falls: tuple[Fall, ...]

    @property
    def put_in(self) -> int:
        return sum(fall.amount for fall in self.falls if fall.part in INTO)

    @property
    def taken_out(self) -> int:
        return sum(fall.amount for fall in self.falls if fall.part not in INTO)

    @property
    def drawn(self) -> list[tuple[Fall, int, int]]:
        """Each with where its bar begins and how wide it is, in thousandths of what was put in."""
        whole, at, bars = max(1, self.put_in), 0, []
        for fall in self.falls:
            if fall.part in INTO:
                bars.append((fall, at * 1000 // whole, fall.amount * 1000 // whole))
                at += fall.amount
            else:
                at -= fall.amount
                bars.append((fall, max(0, at) * 1000 // whole, fall.amount * 1000 // whole))
        return bars

    def of(self, part: Part) -> int:
        return sum(fall.amount for fall in self.falls if fall.part is part)


def waterfall(
    buckets: Iterable[Bucket], grants: Iterable[Granted], now: datetime, *, since: datetime | None
) -> Waterfall | None:
    """Of one line (one kind, one scope) since its period began. None where nothing is counted: unlimited, no grants."""
    metered = [bucket for bucket in buckets if not bucket.is_unlimited and not bucket.disabled]
    by_bucket = _counted(grants, now, since)
    queue = rank(metered, now)
    ended = [bucket for bucket in metered if bucket.has_ended(now) and _ended_in(bucket, since, now)]
    known = [(bucket, _put_in(bucket, by_bucket)) for bucket in (*ended, *queue)]
    falls = [fall for bucket, granted in known if granted is not None for fall in _falls(bucket, granted, now)]
    if not falls:
        return None
    order = list(Part)
    return Waterfall(tuple(sorted((fall for fall in falls if fall.amount), key=lambda fall: order.index(fall.part))))


def _falls(bucket: Bucket, granted: int, now: datetime) -> Sequence[Fall]:
    remaining = bucket.remaining
    used = bucket.consumed or 0
    carried = max(0, remaining + used - granted)
    return (
        Fall(Part.GRANTED, granted, bucket),
        Fall(Part.CARRIED, carried, bucket),
        Fall(Part.USED, used, bucket),
        Fall(Part.NOT_ITEMISED, granted + carried - used - remaining, bucket),
        Fall(Part.ENDED if bucket.has_ended(now) else Part.LEFT, remaining, bucket),
    )


def _put_in(bucket: Bucket, counted: dict[UUID, int]) -> int | None:
    return counted.get(bucket.id, bucket.granted)


def _counted(grants: Iterable[Granted], now: datetime, since: datetime | None) -> dict[UUID, int]:
    """What was put into each bucket and counts in this period; a reset makes what was before it history."""
    counted: dict[UUID, int] = {}
    for grant in sorted(grants, key=lambda grant: grant.period_start):
        over = grant.period_end is not None and since is not None and grant.period_end <= since
        if grant.period_start > now or over:
            continue
        before = 0 if grant.mode == "reset" else counted.get(grant.bucket_id, 0)
        counted[grant.bucket_id] = before + grant.amount
    return counted


def _ended_in(bucket: Bucket, since: datetime | None, now: datetime) -> bool:
    return bucket.expires_at is not None and (since is None or since <= bucket.expires_at) and bucket.expires_at <= now
