from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.kernel import ids
from selfcare.portal.usage.allowances import (
    Allowance,
    Bucket,
    Granted,
    Verdict,
    is_low,
    of_each,
    pace_of,
    rank,
    summarise,
)
from selfcare.ports.charging import Balances

NOW = datetime(2026, 11, 16, tzinfo=UTC)
START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)
GB = 10**9


def bucket(**changed: object) -> Bucket:
    columns = {"id": uuid4(), "kind": "data", "remaining": GB, "consume_order": 30, "created_at": START} | changed
    return Bucket(**columns)  # type: ignore[arg-type]


def granted(to: Bucket, amount: int, **changed: object) -> Granted:
    columns = {"bucket_id": to.id, "amount": amount, "period_start": START, "period_end": END} | changed
    return Granted(**columns)  # type: ignore[arg-type]


def only(buckets: list[Bucket], grants: list[Granted] | None = None, **settings: int) -> Allowance:
    (allowance,) = summarise(buckets, grants or [], NOW, **settings)
    return allowance


def test_bonus_is_used_before_topup_before_plan() -> None:
    plan, topup, bonus = (bucket(consume_order=order) for order in (3, 2, 1))
    assert [ranked.bucket for ranked in only([plan, topup, bonus]).buckets] == [bonus, topup, plan]
    assert [ranked.rank for ranked in only([plan, topup, bonus]).buckets] == [1, 2, 3]


def test_ties_go_to_what_ends_first_then_to_the_older() -> None:
    later, sooner = bucket(expires_at=END), bucket(expires_at=END - timedelta(days=1))
    never_young, never_old = bucket(created_at=NOW), bucket()
    assert rank([never_young, later, never_old, sooner], NOW) == [sooner, later, never_old, never_young]


def test_totals_leave_out_expired_disabled_and_not_yet_started() -> None:
    tomorrow = bucket(starts_at=NOW + timedelta(days=1))
    line = only([bucket(), bucket(expires_at=NOW), bucket(disabled=True), tomorrow])
    assert line.left == GB
    assert line.waiting == (tomorrow,)


def test_what_ended_unused_is_not_called_used() -> None:
    live, ended = bucket(remaining=6 * GB), bucket(remaining=2 * GB, expires_at=NOW - timedelta(days=1))
    line = only([live, ended], [granted(live, 10 * GB), granted(ended, 5 * GB, period_end=ended.expires_at)])
    assert line.ended_unused == 2 * GB
    assert line.used == 4 * GB


def test_what_ended_before_this_period_is_no_longer_told() -> None:
    live, ended = bucket(), bucket(expires_at=START - timedelta(seconds=1))
    assert only([live, ended], [granted(live, GB)]).ended_unused == 0


def test_used_is_what_was_granted_and_is_gone() -> None:
    one, other = bucket(remaining=3 * GB), bucket(remaining=GB)
    line = only([one, other], [granted(one, 10 * GB), granted(other, GB)])
    assert (line.granted, line.used, line.left) == (11 * GB, 7 * GB, 4 * GB)


def test_used_is_never_below_zero() -> None:
    carried = bucket(remaining=5 * GB)
    assert only([carried], [granted(carried, GB)]).used == 0


def test_without_grants_nobody_says_used() -> None:
    line = only([bucket()])
    assert line.used is None
    assert line.granted is None
    assert line.pace is None


def test_what_the_charging_system_counted_wins_over_subtraction() -> None:
    carried = bucket(remaining=2 * GB, consumed=GB)
    assert only([carried], [granted(carried, 5 * GB, period_end=None)]).used == GB


def test_a_grant_that_resets_makes_the_earlier_ones_history() -> None:
    plan = bucket(remaining=8 * GB)
    first = granted(plan, 10 * GB, period_end=None)
    renewed = granted(plan, 10 * GB, mode="reset", period_start=NOW - timedelta(days=1))
    added = granted(plan, GB, period_start=NOW)
    assert only([plan], [added, first, renewed]).granted == 11 * GB


def test_grants_of_other_periods_do_not_count() -> None:
    plan = bucket()
    past = granted(plan, GB, period_start=START - timedelta(days=30), period_end=START)
    future = granted(plan, GB, period_start=END, period_end=END + timedelta(days=31))
    assert only([plan], [past, granted(plan, 4 * GB), future]).granted == 4 * GB


def test_special_scopes_are_lines_of_their_own() -> None:
    lines = summarise(
        [bucket(kind="voice", scope=scope, remaining=60) for scope in ("roaming", "any", "international", "national")],
        [],
        NOW,
    )
    assert [(line.scope, line.left) for line in lines] == [("any", 120), ("international", 60), ("roaming", 60)]


def test_kinds_come_in_the_order_of_the_page() -> None:
    lines = summarise([bucket(kind=kind) for kind in ("money", "sms", "voice", "data")], [], NOW)
    assert [line.kind for line in lines] == ["data", "voice", "sms", "money"]


def test_unlimited_is_neither_low_nor_used_up_and_has_no_pace() -> None:
    unlimited = bucket(remaining=0, is_unlimited=True)
    line = only([unlimited], [granted(unlimited, 0)])
    assert line.is_unlimited
    assert (line.is_low, line.is_used_up, line.pace) == (False, False, None)


@pytest.mark.parametrize(("left", "low"), [(GB, True), (GB + 1, False), (0, True)])
def test_low_is_at_or_under_a_tenth_of_what_was_granted(left: int, low: bool) -> None:
    plan = bucket(remaining=left)
    assert only([plan], [granted(plan, 10 * GB)]).is_low is low


def test_ones_own_threshold_is_respected() -> None:
    plan = bucket(remaining=2 * GB)
    assert only([plan], [granted(plan, 10 * GB)], low_permille=200).is_low
    assert not only([plan], [granted(plan, 10 * GB)], low_permille=199).is_low


@pytest.mark.parametrize(("kind", "at"), [("data", 500_000_000), ("voice", 600), ("sms", 10), ("money", 200)])
def test_without_grants_low_is_a_fixed_amount(kind: str, at: int) -> None:
    assert is_low(kind, at, None)
    assert not is_low(kind, at + 1, None)


def test_used_up_is_nothing_left_and_nothing_unlimited() -> None:
    assert only([bucket(remaining=0)]).is_used_up
    assert not only([bucket(remaining=0), bucket(remaining=1)]).is_used_up
    assert not only([bucket(remaining=0), bucket(remaining=0, is_unlimited=True)]).is_used_up
    assert only([bucket(expires_at=NOW)]).is_used_up


def test_credit_may_be_below_zero() -> None:
    line = only([bucket(kind="money", remaining=-320, currency="GBP")])
    assert line.left == -320
    assert line.is_used_up
    assert line.left_permille == 0


@pytest.mark.parametrize(
    ("left", "verdict"),
    [(450, Verdict.ON_TRACK), (550, Verdict.ON_TRACK), (449, Verdict.FAST), (551, Verdict.PLENTY)],
)
def test_within_five_points_of_the_time_left_one_is_on_track(left: int, verdict: Verdict) -> None:
    pace = pace_of(left, 1000, START, END, NOW)
    assert pace is not None
    assert pace.time_left_permille == 500
    assert pace.verdict is verdict


def test_the_period_is_the_plans_not_a_topups() -> None:
    plan, topup = bucket(), bucket(origin="topup")
    soon = NOW + timedelta(days=1)
    line = only([topup, plan], [granted(topup, GB, period_end=soon), granted(plan, GB)])
    assert (line.period_start, line.period_end) == (START, END)


def test_an_empty_blocker_stops_what_is_left_behind_it() -> None:
    roaming_pass = bucket(consume_order=1, remaining=0, blocker=True)
    assert only([roaming_pass, bucket()]).blocked_by == roaming_pass


def test_an_empty_blocker_stops_calls_although_credit_is_left() -> None:
    roaming_pass = bucket(kind="voice", scope="roaming", remaining=0, blocker=True)
    credit = bucket(kind="money", remaining=500, currency="GBP")
    voice, money = summarise([roaming_pass, credit], [], NOW)
    assert voice.blocked_by == roaming_pass
    assert money.blocked_by is None


def test_a_blocker_is_silent_while_it_holds_something_or_nothing_else_is_left() -> None:
    assert only([bucket(consume_order=1, blocker=True), bucket()]).blocked_by is None
    assert only([bucket(remaining=0, blocker=True)]).blocked_by is None
    assert only([bucket(consume_order=1), bucket(remaining=0, blocker=True), bucket()]).blocked_by is None


def test_mms_counts_only_when_the_bucket_says_so() -> None:
    assert only([bucket(kind="sms", counts_mms=True)]).counts_mms
    assert not only([bucket(kind="sms")]).counts_mms


@given(st.lists(st.tuples(st.integers(0, 10 * GB), st.integers(0, 10 * GB)), min_size=1, max_size=6))
def test_used_and_left_make_up_what_was_granted(parts: list[tuple[int, int]]) -> None:
    buckets = [bucket(id=UUID(int=n), remaining=left) for n, (left, _used) in enumerate(parts)]
    grants = [granted(to, left + used) for to, (left, used) in zip(buckets, parts, strict=True)]
    line = only(buckets, grants)
    assert line.used is not None
    assert line.left + line.used == line.granted
    assert 0 <= line.left_permille <= 1000


def test_of_many_services_each_has_its_own_lines_and_those_it_shares() -> None:
    mine, yours, other = ids.new_ids(3)
    own = [bucket(service_id=service) for service in (mine, mine, yours)]
    pool = bucket(service_id=None, members=frozenset({mine, yours}), kind="voice", remaining=60)
    stranger = bucket(service_id=other)
    grants = [granted(each, 2 * GB) for each in (*own, pool, stranger)]
    balances = Balances((*own, pool, stranger), tuple(grants), NOW)
    told = of_each(balances, [mine, yours], NOW)
    assert told == {service: summarise(balances.of(service), grants, NOW) for service in (mine, yours)}
    assert [[line.kind for line in lines] for lines in told.values()] == [["data", "voice"], ["data", "voice"]]
    assert [lines[0].left for lines in told.values()] == [2 * GB, GB]
