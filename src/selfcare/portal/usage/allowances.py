"""What is left, what was used, and whether it will last. Pure arithmetic on buckets and what was put into them.

Amounts are bytes, seconds, counts or minor units, by kind. Expired, disabled and not-yet-started buckets are outside
the totals; what ended unused is told apart from what was used.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from selfcare.kernel.values import named_value, value
from selfcare.ports.charging import Balances, Bucket, Granted, rank

KINDS = ("data", "voice", "sms", "mms", "money", "other")
SCOPES = ("any", "on_net", "international", "roaming", "premium")
_PLACES = {(kind, scope): (n, m) for n, kind in enumerate(KINDS) for m, scope in enumerate(SCOPES)}
LOW_PERMILLE = 100
LOW_WITHOUT_GRANTS = {"data": 500_000_000, "voice": 600, "sms": 10, "mms": 10}
LOW_MONEY_MINOR = 200
ON_TRACK_PERMILLE = 50
UNUSED_SHOWN_FOR = timedelta(days=31)


class Verdict(StrEnum):
    ON_TRACK = "on_track"
    PLENTY = "plenty"
    FAST = "fast"


@value
class Pace:
    """Share of the allowance left against share of the period still to come."""

    left_permille: int
    time_left_permille: int

    @property
    def verdict(self) -> Verdict:
        ahead = self.left_permille - self.time_left_permille
        if abs(ahead) <= ON_TRACK_PERMILLE:
            return Verdict.ON_TRACK
        return Verdict.PLENTY if ahead > 0 else Verdict.FAST


@value
class Ranked:
    """A live bucket and its place in the queue, 1 = used first."""

    rank: int
    bucket: Bucket
    granted: int | None

    @property
    def used(self) -> int | None:
        """What the charging system counted since the period began; where it did not, what was granted and is gone."""
        if self.bucket.consumed is not None:
            return self.bucket.consumed
        return None if self.granted is None else max(0, self.granted - self.bucket.remaining)


@named_value
class Allowance:
    """One line of the usage page: one kind, one scope. `used` is None when nobody knows what was granted."""

    kind: str
    scope: str
    left: int
    granted: int | None
    used: int | None
    is_unlimited: bool
    is_low: bool
    is_used_up: bool
    counts_mms: bool
    currency: str | None
    buckets: tuple[Ranked, ...]
    waiting: tuple[Bucket, ...]
    ended_unused: int
    period_start: datetime | None
    period_end: datetime | None
    next_expiry: datetime | None
    pace: Pace | None
    blocked_by: Bucket | None
    # What could pay for more, if nothing blocked it.
    credit: int

    @property
    def first_use(self) -> Bucket | None:
        """The first in the queue that waits for its first use."""
        return next((place.bucket for place in self.buckets if place.bucket.waits_for is not None), None)

    @property
    def left_permille(self) -> int:
        """For the bar; an overdrawn credit shows an empty one."""
        whole = self.left + (self.used or 0)
        return max(0, self.left) * 1000 // whole if whole > 0 else 0

    @property
    def whole(self) -> int:
        """What the bar stands for."""
        return max(self.left + (self.used or 0), 1)

    @property
    def shares(self) -> list[int]:
        """What is left of each bucket in the order used, per mille of the whole."""
        whole = self.whole
        return [max(place.bucket.remaining, 0) * 1000 // whole for place in self.buckets]


def summarise(
    buckets: Iterable[Bucket],
    grants: Iterable[Granted],
    now: datetime,
    *,
    low_permille: int = LOW_PERMILLE,
    low_money_minor: int = LOW_MONEY_MINOR,
) -> list[Allowance]:
    """All lines of one service (or of several together): by kind, the main line before the special scopes."""
    return _lines(buckets, _current_grants(grants, now), now, low_permille, low_money_minor)


def of_each(balances: Balances, services: Iterable[UUID], now: datetime) -> dict[UUID, list[Allowance]]:
    """The lines of each of these services. What several share stands in the lines of each."""
    theirs: dict[UUID, list[Bucket]] = {service: [] for service in services}
    for bucket in balances.buckets:
        for service in {bucket.service_id, *bucket.members} if bucket.members else (bucket.service_id,):
            if service in theirs:
                theirs[service].append(bucket)
    current = _current_grants(balances.grants, now)
    return {service: _lines(buckets, current, now) for service, buckets in theirs.items()}


def _lines(
    buckets: Iterable[Bucket],
    current: dict[UUID, list[Granted]],
    now: datetime,
    low_permille: int = LOW_PERMILLE,
    low_money_minor: int = LOW_MONEY_MINOR,
) -> list[Allowance]:
    lines: dict[tuple[str, str], list[Bucket]] = {}
    credit = 0
    for bucket in buckets:
        lines.setdefault((bucket.kind, line_scope(bucket.scope)), []).append(bucket)
        if bucket.kind == "money" and bucket.is_live(now):
            credit += bucket.remaining
    return [
        _allowance(key, lines[key], current, now, credit, low_permille, low_money_minor)
        for key in sorted(lines, key=_PLACES.__getitem__)
    ]


def is_low(
    kind: str,
    left: int,
    granted: int | None,
    *,
    low_permille: int = LOW_PERMILLE,
    low_money_minor: int = LOW_MONEY_MINOR,
) -> bool:
    """At or under the threshold; of an unlimited line do not ask."""
    if kind == "money":
        return left <= low_money_minor
    if granted:
        return left * 1000 <= granted * low_permille
    return left <= LOW_WITHOUT_GRANTS.get(kind, 0)


def pace_of(left: int, granted: int, start: datetime, end: datetime, now: datetime) -> Pace | None:
    """None outside the period, when there is nothing to be paced."""
    if granted <= 0 or not start <= now < end:
        return None
    left_permille = min(1000, max(0, left) * 1000 // granted)
    return Pace(left_permille, (end - now) * 1000 // (end - start))


def _allowance(
    key: tuple[str, str],
    buckets: Sequence[Bucket],
    grants: dict[UUID, list[Granted]],
    now: datetime,
    credit: int,
    low_permille: int,
    low_money_minor: int,
) -> Allowance:
    kind, scope = key
    queue = [bucket for bucket in rank(buckets, now) if not bucket.waits_for_travel]
    places = []
    left, granted, used, unlimited, counts_mms = 0, None, None, False, False
    next_expiry: datetime | None = None
    for n, bucket in enumerate(queue, 1):
        place = Ranked(n, bucket, _granted(bucket, grants))
        places.append(place)
        counts_mms = counts_mms or bucket.counts_mms
        ends = None if bucket.is_empty or bucket.waits_for is not None else bucket.expires_at
        if ends is not None and (next_expiry is None or ends < next_expiry):
            next_expiry = ends
        if bucket.is_unlimited:
            unlimited = True
            continue
        left += bucket.remaining
        granted = _plus(granted, place.granted)
        used = _plus(used, place.used)
    start, end = _period(queue, grants)
    # Nobody means to have used up their credit by a day.
    is_paced = not unlimited and kind != "money"
    return Allowance(
        kind=kind,
        scope=scope,
        left=left,
        granted=granted,
        used=used,
        is_unlimited=unlimited,
        is_low=bool(queue)
        and not unlimited
        and is_low(kind, left, granted, low_permille=low_permille, low_money_minor=low_money_minor),
        is_used_up=left <= 0 and not unlimited,
        counts_mms=counts_mms,
        currency=buckets[0].currency if buckets else None,
        buckets=tuple(places),
        waiting=tuple([b for b in buckets if _is_waiting(b, now)]),
        ended_unused=_ended_unused(buckets, start, now),
        period_start=start,
        period_end=end,
        next_expiry=next_expiry,
        pace=pace_of(left, granted, start, end, now) if is_paced and granted and start and end else None,
        blocked_by=_blocker(queue, credit if kind != "money" else 0),
        credit=credit if kind != "money" else 0,
    )


def _is_waiting(bucket: Bucket, now: datetime) -> bool:
    """For its day, or for a use that nobody can have where this line is used."""
    if bucket.waits_for_travel:
        return bucket.is_live(now)
    return bucket.starts_at is not None and bucket.starts_at > now and not bucket.disabled


def line_scope(scope: str) -> str:
    return "any" if scope == "national" else scope


def _current_grants(grants: Iterable[Granted], now: datetime) -> dict[UUID, list[Granted]]:
    """What counts now, by bucket. A grant that resets makes the earlier ones of its bucket history."""
    current: dict[UUID, list[Granted]] = {}
    for grant in sorted(grants, key=lambda grant: grant.period_start):
        if not grant.is_current(now):
            continue
        if grant.mode == "reset":
            current[grant.bucket_id] = []
        current.setdefault(grant.bucket_id, []).append(grant)
    return current


def _granted(bucket: Bucket, grants: dict[UUID, list[Granted]]) -> int | None:
    """What the charging system counts since the period began, carried-over amounts included; else the grants."""
    if bucket.is_unlimited:
        return None
    if bucket.granted is not None:
        return bucket.granted
    known = grants.get(bucket.id)
    return None if known is None else sum(grant.amount for grant in known)


def _plus(one: int | None, other: int | None) -> int | None:
    """A sum of what is known."""
    return one if other is None else other if one is None else one + other


def _period(queue: Sequence[Bucket], grants: dict[UUID, list[Granted]]) -> tuple[datetime | None, datetime | None]:
    """The plan's period where there is one, else that of the grant which ends first."""
    dated = [
        (bucket.origin != "plan", grant.period_end, grant.period_start)
        for bucket in queue
        for grant in grants.get(bucket.id, ())
        if grant.period_end is not None and bucket.waits_for is None
    ]
    if not dated:
        return None, None
    _not_plan, end, start = min(dated)
    return start, end


def _ended_unused(buckets: Sequence[Bucket], period_start: datetime | None, now: datetime) -> int:
    ended = [bucket for bucket in buckets if bucket.expires_at and bucket.expires_at <= now]
    if not ended:
        return 0
    since = period_start or now - UNUSED_SHOWN_FOR
    return sum(
        max(0, bucket.remaining)
        for bucket in ended
        if bucket.expires_at and since <= bucket.expires_at and not bucket.is_unlimited and not bucket.disabled
    )


def _blocker(queue: Sequence[Bucket], credit: int) -> Bucket | None:
    """The empty bucket that stops use although something behind it, or credit, is left."""
    for place, bucket in enumerate(queue):
        if not bucket.is_empty:
            return None
        if bucket.blocker:
            behind = any(not other.is_empty for other in queue[place + 1 :])
            return bucket if behind or credit > 0 else None
    return None
