"""Where did it go: to the unit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from selfcare.portal.usage.waterfall import Part, Waterfall, waterfall
from selfcare.ports.charging import Bucket, Granted

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=16)
UNTIL = NOW + timedelta(days=14)


def bucket(n: int, remaining: int, **more: object) -> Bucket:
    usual: dict[str, object] = {"kind": "data", "consume_order": n, "created_at": SINCE}
    return Bucket(id=UUID(int=n), remaining=remaining, **(usual | more))  # type: ignore[arg-type]


def granted(n: int, amount: int, **more: object) -> Granted:
    usual: dict[str, object] = {"period_start": SINCE, "period_end": UNTIL}
    return Granted(bucket_id=UUID(int=n), amount=amount, **(usual | more))  # type: ignore[arg-type]


def fall(buckets: list[Bucket], grants: list[Granted]) -> Waterfall:
    told = waterfall(buckets, grants, NOW, since=SINCE)
    assert told is not None
    assert told.put_in == told.taken_out
    return told


def test_what_was_granted_is_what_was_used_and_what_is_left() -> None:
    told = fall([bucket(1, 40, consumed=60)], [granted(1, 100)])
    assert [(each.part, each.amount) for each in told.falls] == [(Part.GRANTED, 100), (Part.USED, 60), (Part.LEFT, 40)]


def test_each_bucket_says_what_it_gave_in_the_order_of_use() -> None:
    told = fall([bucket(2, 90, consumed=10), bucket(1, 0, consumed=50)], [granted(1, 50), granted(2, 100)])
    used = [(each.bucket.id.int, each.amount) for each in told.falls if each.part is Part.USED and each.bucket]
    assert used == [(1, 50), (2, 10)]


def test_what_nobody_itemised_is_said_to_be_so() -> None:
    told = fall([bucket(1, 40, consumed=None)], [granted(1, 100)])
    assert told.of(Part.NOT_ITEMISED) == 60
    assert told.of(Part.USED) == 0


def test_what_ended_unused_is_apart_from_what_was_used() -> None:
    told = fall([bucket(1, 30, consumed=70, expires_at=NOW - timedelta(days=1))], [granted(1, 100)])
    assert told.of(Part.ENDED) == 30
    assert told.of(Part.LEFT) == 0


def test_what_was_there_before_the_period_is_carried_over() -> None:
    told = fall([bucket(1, 120, consumed=10)], [granted(1, 100)])
    assert told.of(Part.CARRIED) == 30


def test_a_reset_makes_what_was_granted_before_history() -> None:
    told = fall([bucket(1, 100, consumed=0)], [granted(1, 70), granted(1, 100, mode="reset")])
    assert told.of(Part.GRANTED) == 100


def test_what_ended_before_the_period_is_not_told() -> None:
    old = bucket(1, 30, expires_at=SINCE - timedelta(days=1))
    assert waterfall([old], [granted(1, 30)], NOW, since=SINCE) is None


def test_what_is_unlimited_or_was_never_granted_has_no_waterfall() -> None:
    assert waterfall([bucket(1, 0, is_unlimited=True)], [granted(1, 10)], NOW, since=SINCE) is None
    assert waterfall([bucket(1, 10)], [], NOW, since=SINCE) is None


BUCKETS = st.lists(
    st.tuples(
        st.integers(0, 10**15),
        st.none() | st.integers(0, 10**15),
        st.sampled_from([None, NOW - timedelta(days=1), SINCE - timedelta(days=1), UNTIL]),
        st.lists(st.tuples(st.integers(0, 10**15), st.sampled_from(["add", "reset"])), max_size=4),
    ),
    max_size=6,
)


@given(BUCKETS)
def test_it_adds_up_to_the_unit_whatever_happened(
    made: list[tuple[int, int | None, datetime | None, list[tuple[int, str]]]],
) -> None:
    buckets = [bucket(n, left, consumed=used, expires_at=ends) for n, (left, used, ends, _) in enumerate(made, 1)]
    grants = [granted(n, put, mode=mode) for n, (*_, puts) in enumerate(made, 1) for put, mode in puts]
    told = waterfall(buckets, grants, NOW, since=SINCE)
    if told is not None:
        assert told.put_in == told.taken_out
