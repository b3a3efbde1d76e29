"""The CGRateS adapter against what the engine is known to do wrong, and against an engine that is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.adapters.cgrates_wire import Engine as Wire
from selfcare.adapters.cgrates_words import Dialect, balances_of, moment, seconds_of
from selfcare.adapters.charging_cgrates import CgratesCharging
from selfcare.adapters.outside import Outside
from selfcare.app import build_ports
from selfcare.db.engine import Database, transaction
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import FIRST_USE_ABROAD, Asked, Delivery, Put, Use, rank
from selfcare.ports.failures import Declined, Unknown, Unreachable
from selfcare.settings import BadSettings, Settings
from tests.support import cgrates
from tests.support.lines import Owner, a_customer, a_line

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GB = 10**9
ADD = "APIerSv1.AddBalance"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(NOON):
        yield


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[cgrates.Engine]:
    async with cgrates.serving(cgrates.Engine()) as engine:
        yield engine


@pytest.fixture
async def charging(engine: cgrates.Engine) -> AsyncIterator[CgratesCharging]:
    dialect = Dialect(destinations={"international": "DST_INTL"})
    adapter = CgratesCharging(Wire(engine.url, read_seconds=0.3, connect_seconds=0.3), dialect)
    yield adapter
    await adapter.close()


@pytest.fixture
async def owner(database: Database) -> Owner:
    return await a_customer()


@pytest.fixture
async def line(engine: cgrates.Engine, owner: Owner) -> UUID:
    engine.open_account("1001")
    return await a_line(owner, ocs_account="1001", msisdn="+447700900123")


def order(owner: Owner, line: UUID, *puts: Put) -> Delivery:
    puts = puts or (Put(kind="data", amount=GB, label="Top-up", expires_at=NOON + timedelta(days=30)),)
    return Delivery(order_id=new_id(), customer_id=owner.customer_id, service_id=line, puts=puts)


# Words.


def test_weights_are_turned_round_both_ways() -> None:
    dialect = Dialect()
    assert [dialect.weight(order) for order in (10, 20, 30)] == [90, 80, 70]
    assert [dialect.order(weight) for weight in (90, Decimal("80"), 70.0)] == [10, 20, 30]
    assert [dialect.order(weight) for weight in (None, 0, 150)] == [100, 100, 1]


@given(st.integers(1, 99))
def test_an_order_comes_back_as_it_went(order: int) -> None:
    assert Dialect().order(Dialect().weight(order)) == order


@given(st.sampled_from(["data", "voice", "sms", "mms"]), st.integers(1, 10**14))
def test_an_amount_comes_back_as_it_went(kind: str, amount: int) -> None:
    assert Dialect().amount(kind, Dialect().value(kind, amount)) == amount


@given(st.integers(-(10**9), 10**9), st.sampled_from([1, 100, 1000]))
def test_money_comes_back_as_it_went(minor: int, scale: int) -> None:
    dialect = Dialect(monetary_scale=scale)
    assert dialect.amount("money", dialect.value("money", minor)) == minor


@pytest.mark.parametrize(
    ("kind", "value", "amount"),
    [
        ("voice", 3_600_000_000_000, 3600),
        ("voice", 59_999_999_999, 59),
        ("voice", Decimal("1e+21"), 10**12),
        ("data", Decimal("1e+12"), 10**12),
        ("data", Decimal("5.9"), 5),
        ("money", Decimal("10.5"), 1050),
        ("money", Decimal("0.29"), 29),
        ("money", Decimal("-3.205"), -321),
    ],
)
def test_units_are_ours_and_rounded_down(kind: str, value: Any, amount: int) -> None:
    assert Dialect().amount(kind, value) == amount


@pytest.mark.parametrize("value", ["NaN", "Infinity", "abc", None])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="no number"):
        Dialect().amount("data", value)


@pytest.mark.parametrize(
    ("usage", "seconds"),
    [("1m30s", 90), ("1h0m1s", 3601), ("0s", 0), ("1.5s", 2), ("250ms", 1), ("90000000000", 90), ("1", 1)],
)
def test_a_duration_is_read_as_go_writes_it(usage: str, seconds: int) -> None:
    assert seconds_of(usage) == seconds


@pytest.mark.parametrize("usage", ["", "abc", "-5s", "5x", "1m x", None])
def test_what_is_no_duration_is_refused(usage: Any) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds_of(usage)


def test_the_zero_time_is_never() -> None:
    assert moment("0001-01-01T00:00:00Z") is None
    assert moment("2026-12-01T00:00:00.123456789+01:00") == datetime(2026, 11, 30, 23, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize("map_", [None, {}, {"*data": None}, {"*data": []}, {"*unheard_of": [{"Value": 1}]}])
def test_an_account_without_balances_has_none(map_: Any) -> None:
    assert list(balances_of({"ID": "cgrates.org:1001", "BalanceMap": map_}, Dialect())) == []


# Figures.


async def test_what_the_engine_holds_is_shown_in_our_words(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    engine.add("1001", "*data", 2e9, ID="Weekend_bonus", Weight=90, ExpirationDate="2026-12-01T00:00:00Z")
    engine.add("1001", "*data", 1e21, ID="*default", Weight=70)
    engine.add("1001", "*voice", 61e9, DestinationIDs={"DST_INTL": True}, Blocker=True, Weight=80)
    engine.add("1001", "*monetary", 10.29, Disabled=True)
    found = {bucket.label: bucket for bucket in (await charging.balances(owner)).buckets}
    assert set(found) == {"Weekend bonus", "Data", "Minutes", "Credit"}
    bonus = found["Weekend bonus"]
    assert (bonus.remaining, bonus.consume_order, bonus.expires_at) == (2 * GB, 10, datetime(2026, 12, 1, tzinfo=UTC))
    assert (found["Data"].is_unlimited, found["Data"].expires_at) == (True, None)
    minutes = found["Minutes"]
    assert (minutes.remaining, minutes.scope, minutes.blocker) == (61, "international", True)
    assert (found["Credit"].remaining, found["Credit"].currency, found["Credit"].disabled) == (1029, "GBP", True)
    assert bonus.granted is None


async def test_a_renewal_there_begins_a_period_here(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    balance = engine.add("1001", "*data", 3 * GB, ID="Plan")
    steps = []
    for value in (3 * GB, 2 * GB, 20 * GB, 15 * GB):
        balance["Value"] = value
        clock.travel_by(timedelta(minutes=2))
        (bucket,) = (await charging.balances(owner)).buckets
        steps.append((bucket.granted, bucket.consumed, bucket.remaining))
    assert steps == [
        (None, None, 3 * GB),
        (None, None, 2 * GB),
        (20 * GB, 0, 20 * GB),
        (20 * GB, 5 * GB, 15 * GB),
    ]


async def test_a_balance_that_vanishes_is_in_no_total_any_more(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    engine.add("1001", "*data", GB, ID="Plan")
    await charging.balances(owner)
    engine.balances("1001", "*data").clear()
    clock.travel_by(timedelta(minutes=2))
    assert rank((await charging.balances(owner)).buckets, clock.now()) == []


async def test_within_a_minute_the_engine_is_asked_once(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    for _ in range(5):
        await charging.balances(owner)
        await charging.revision(owner, [line])
        clock.travel_by(timedelta(seconds=10))
    assert engine.asked == ["APIerSv2.GetAccounts"]
    clock.travel_by(timedelta(seconds=11))
    await charging.balances(owner)
    assert len(engine.asked) == 2


async def test_older_news_does_not_overwrite_newer(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    from selfcare.adapters import cgrates_snapshots as snapshots

    engine.add("1001", "*data", 5 * GB, ID="Plan")
    await charging.balances(owner)
    (account,) = await snapshots.accounts(owner, None)
    old = list(balances_of(engine.accounts["1001"], charging.dialect))
    engine.use("1001", "*data", GB)
    clock.travel_by(timedelta(minutes=2))
    await charging.balances(owner)
    await snapshots.store(account, old, NOON + timedelta(seconds=30))
    (bucket,) = (await charging.balances(owner)).buckets
    assert bucket.remaining == 4 * GB


# Away.


@pytest.mark.parametrize("fault", ["cut", "hang", "server_error", "garbage", "http_500", "other_id"])
async def test_while_the_engine_is_away_the_last_figures_are_shown_with_their_age(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID, fault: str
) -> None:
    engine.add("1001", "*data", GB, ID="Plan")
    fresh = await charging.balances(owner)
    assert (fresh.stale, fresh.as_of) == (False, NOON)
    first = await charging.revision(owner)
    engine.fault = fault
    clock.travel_by(timedelta(minutes=20))
    old = await charging.balances(owner)
    assert (old.stale, old.as_of, [bucket.remaining for bucket in old.buckets]) == (True, NOON, [GB])
    assert await charging.revision(owner) != first
    assert not (await charging.health()).ok
    assert (await charging.health()).answered_at == NOON


async def test_a_look_at_an_engine_that_is_away_leaves_the_last_figures(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    engine.add("1001", "*data", GB, ID="Plan")
    await charging.balances(owner)
    engine.fault = "cut"
    await charging.look(owner, line)
    assert [bucket.remaining for bucket in (await charging.balances(owner)).buckets] == [GB]


async def test_a_service_that_was_never_seen_shows_nothing_rather_than_zero(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    engine.fault = "cut"
    answer = await charging.balances(owner)
    assert (answer.buckets, answer.stale) == ((), True)


async def test_records_of_an_engine_that_is_away_cannot_be_shown(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    engine.fault = "cut"
    with pytest.raises(Unreachable):
        await charging.records(owner, Asked())


async def test_after_five_failures_nobody_waits_and_after_half_a_minute_one_tries(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    engine.fault = "cut"
    for _ in range(8):
        await charging.health()
    assert len(engine.asked) == 5
    clock.travel_by(timedelta(seconds=29))
    await charging.health()
    assert len(engine.asked) == 5
    clock.travel_by(timedelta(seconds=1))
    await charging.health()
    await charging.health()
    assert len(engine.asked) == 6
    engine.fault = ""
    clock.travel_by(timedelta(seconds=30))
    assert (await charging.health()).ok
    assert (await charging.health()).ok
    assert not charging.engine.outside.breaker.is_open


async def test_an_engine_that_was_never_there_is_unreachable(database: Database, owner: Owner) -> None:
    adapter = CgratesCharging(Wire("http://127.0.0.1:9/jsonrpc", connect_seconds=0.3), Dialect())
    line = await a_line(owner, ocs_account="1001")
    with pytest.raises(Unreachable):
        await adapter.credit(order(owner, line))
    with pytest.raises(Unreachable):
        await adapter.was_applied(order(owner, line))
    await adapter.close()


# Putting in.


async def test_the_engine_gets_weight_name_units_and_end(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    voice = Put(kind="voice", amount=90, label="World", scope="international", consume_order=1, blocker=True)
    money = Put(kind="money", amount=1029, label="Credit", currency="GBP", expires_at=NOON + timedelta(days=1))
    asked = order(owner, line, voice, money)
    await charging.credit(asked)
    (minutes,), (credit,) = engine.balances("1001", "*voice"), engine.balances("1001", "*monetary")
    assert (minutes["ID"], minutes["Value"], minutes["Weight"]) == (f"ord_{asked.order_id}", 90 * 10**9, 99)
    assert (minutes["Blocker"], minutes["DestinationIDs"]) == (True, {"DST_INTL": True})
    assert minutes["ExpirationDate"] == cgrates.NEVER
    assert (credit["ID"], credit["Value"]) == (f"ord_{asked.order_id}_1", 10.29)
    assert credit["ExpirationDate"] == "2026-11-23T12:00:00+00:00"
    found = {bucket.label: bucket for bucket in (await charging.balances(owner)).buckets}
    assert (found["World"].origin, found["World"].granted, found["World"].consume_order) == ("topup", 90, 1)
    assert found["Credit"].remaining == 1029


@pytest.mark.parametrize("fault", ["cut_after", "garbage", "http_500"])
async def test_done_but_unheard_is_unknown_and_asking_again_does_not_double_it(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID, fault: str
) -> None:
    asked = order(owner, line)
    engine.fault, engine.fault_for = fault, ADD
    with pytest.raises(Unknown):
        await charging.credit(asked)
    engine.fault = ""
    assert await charging.was_applied(asked)
    await charging.credit(asked)
    assert engine.asked.count(ADD) == 1
    assert [each["Value"] for each in engine.balances("1001", "*data")] == [GB]
    (bucket,) = (await charging.balances(owner)).buckets
    assert (bucket.label, bucket.granted) == ("Top-up", GB)


@pytest.mark.parametrize("fault", ["cut", "hang", "server_error"])
async def test_unheard_and_not_done_is_unknown_and_may_be_asked_again(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID, fault: str
) -> None:
    asked = order(owner, line)
    engine.fault, engine.fault_for = fault, ADD
    with pytest.raises(Unknown):
        await charging.credit(asked)
    engine.fault = ""
    assert not await charging.was_applied(asked)
    await charging.credit(asked)
    assert await charging.was_applied(asked)


async def test_what_was_put_in_and_used_up_is_remembered_by_the_log(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    asked = order(owner, line)
    await charging.credit(asked)
    engine.balances("1001", "*data").clear()
    assert await charging.was_applied(asked)
    await charging.credit(asked)
    assert engine.balances("1001", "*data") == []


async def test_a_removal_of_which_the_answer_was_lost_is_no_use(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    asked = order(owner, line)
    await charging.credit(asked)
    engine.fault, engine.fault_for = "cut_after", "APIerSv1.RemoveBalances"
    with pytest.raises(Unknown):
        await charging.take_back(asked)
    engine.fault = ""
    assert engine.balances("1001", "*data") == []
    await charging.take_back(asked)
    assert engine.asked.count("APIerSv1.RemoveBalances") == 1


async def test_half_of_an_order_is_completed_and_the_other_half_left_alone(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    asked = order(owner, line, Put(kind="data", amount=GB, label="Data"), Put(kind="sms", amount=5, label="Texts"))
    await charging.credit(Delivery(**{name: getattr(asked, name) for name in ("order_id", "customer_id", "service_id")},
                                   puts=asked.puts[:1]))  # fmt: skip
    assert not await charging.was_applied(asked)
    await charging.credit(asked)
    assert engine.asked.count(ADD) == 2


async def test_an_account_that_does_not_exist_is_not_made(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner
) -> None:
    line = await a_line(owner, ocs_account="unheard-of")
    with pytest.raises(Declined):
        await charging.credit(order(owner, line))
    assert "unheard-of" not in engine.accounts
    assert ADD not in engine.asked


@pytest.mark.parametrize(
    "put",
    [
        Put(kind="data", amount=None, label="Unlimited"),
        Put(kind="data", amount=5, label="Roaming", scope="roaming"),
        Put(kind="data", amount=5, label="Tomorrow", starts_at=NOON + timedelta(days=1)),
        Put(kind="data", amount=-5, label="Less"),
        Put(
            kind="data",
            amount=5,
            label="Trip",
            waits_for=FIRST_USE_ABROAD,
            lasts_days=7,
            expires_at=NOON + timedelta(days=90),
        ),
    ],
)
async def test_what_the_engine_cannot_hold_is_declined_before_it_is_asked(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID, put: Put
) -> None:
    with pytest.raises(Declined):
        await charging.credit(order(owner, line, put))
    assert engine.asked == []


async def test_nothing_is_sent_while_a_transaction_is_open(charging: CgratesCharging, engine: cgrates.Engine) -> None:
    async with transaction():
        with pytest.raises(RuntimeError, match="transaction"):
            await charging.health()
    assert engine.asked == []


async def test_usage_is_sent_to_the_engine_not_to_us(charging: CgratesCharging) -> None:
    with pytest.raises(Declined):
        await charging.take([Use(id="u", service="1001", kind="data", amount=1, at=NOON)])


# Records.


async def test_records_are_read_in_our_words(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    engine.record("1001", Usage="2m5s", Destination="+33155501234", Cost=0.305)
    engine.record("1001", RunID="*raw", Usage="9h")
    engine.record("1001", Usage="10s", Category="premium", AnswerTime="2026-11-22T11:00:00Z", Cost=-1)
    engine.record("1001", ToR="*data", Usage="1048576", AnswerTime="2026-11-22T10:00:00Z")
    engine.record("1001", ToR="*sms", Usage="1", AnswerTime="2026-11-22T09:00:00Z", ExtraFields={"class": "roaming"})
    engine.record("1001", Usage="nonsense", AnswerTime="2026-11-22T08:00:00Z")
    found = (await charging.records(owner, Asked())).records
    assert [(each.kind, each.class_, each.seconds + each.bytes + each.count, each.cost_minor) for each in found] == [
        ("call", "international", 125, 30),
        ("call", "premium", 10, 0),
        ("data", "on_net", 1048576, 0),
        ("sms", "roaming", 1, 0),
    ]
    assert found[0].other_party == "+33155501234"
    assert found[0].parts is None


async def test_the_next_renewal_comes_from_the_action_plan(
    charging: CgratesCharging, engine: cgrates.Engine, owner: Owner, line: UUID
) -> None:
    engine.plans = [
        {"ActionPlanId": "MONTHLY", "NextExecTime": "2026-12-01T00:00:00Z"},
        {"ActionPlanId": "NEVER", "NextExecTime": "0001-01-01T00:00:00Z"},
    ]
    plan = await charging.plan(owner, line)
    assert plan is not None
    assert (plan.label, plan.period_end) == ("MONTHLY", datetime(2026, 12, 1, tzinfo=UTC))


# Settings.


def test_the_settings_choose_the_engine() -> None:
    settings = Settings.from_env(
        {
            "SELFCARE_CHARGING": "cgrates",
            "SELFCARE_CGRATES_URL": "http://user:secret@engine.internal:2080/jsonrpc",
            "SELFCARE_CGRATES_TENANT": "lark",
            "SELFCARE_CGRATES_MONETARY_SCALE": "1",
            "SELFCARE_CGRATES_WEIGHT_BASE": "40",
            "SELFCARE_CGRATES_DESTINATIONS": "international=DST_INTL, roaming=DST_ROAM",
        }
    )
    charging = build_ports(settings).charging
    assert isinstance(charging, CgratesCharging)
    assert charging.dialect == Dialect("lark", 1, 40, {"international": "DST_INTL", "roaming": "DST_ROAM"})
    assert charging.engine.outside.url == "http://engine.internal:2080/jsonrpc"
    assert "secret" not in repr(settings)


def test_an_engine_needs_its_address() -> None:
    assert any(
        "SELFCARE_CGRATES_URL" in each for each in Settings.from_env({"SELFCARE_CHARGING": "cgrates"}).refusals()
    )


@pytest.mark.parametrize("text", ["international", "moon=DST", "=DST", "roaming="])
def test_a_bad_destination_is_named(text: str) -> None:
    with pytest.raises(BadSettings, match="SELFCARE_CGRATES_DESTINATIONS"):
        Settings.from_env({"SELFCARE_CGRATES_DESTINATIONS": text})


@pytest.mark.parametrize("url", ["ftp://x/", "jsonrpc", "http:///x"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        Outside(url)
