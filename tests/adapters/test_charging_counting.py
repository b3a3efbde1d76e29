"""The embedded charging system: what a use takes, from where, and that it happens once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.adapters.charging_tables import Bucket as BucketRow
from selfcare.db.engine import Database, transaction
from selfcare.db.prepared import fetch, insert_many
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import Asked, Bucket, Delivery, Put, Use
from selfcare.ports.failures import Declined
from tests.support.lines import AUDIT, Owner, a_customer, a_line

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GB = 10**9


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(NOON):
        yield


class Phone:
    """A line with its meter."""

    def __init__(self, of: Owner, id: UUID) -> None:
        self.of, self.id, self.meter = of, id, EmbeddedCharging()
        self.uses = 0

    async def put(self, *puts: Put, reason: str = "purchase", order: UUID | None = None) -> Delivery:
        delivery = Delivery(
            order_id=order or new_id(),
            customer_id=self.of.customer_id,
            service_id=self.id,
            puts=puts,
            reason=reason,
        )
        await self.meter.credit(delivery)
        return delivery

    def a_use(self, **more: Any) -> Use:
        self.uses += 1
        usual = {"id": f"u{self.uses}", "service": str(self.id), "kind": "data", "amount": GB, "at": NOON}
        return Use(**usual | more)  # type: ignore[arg-type]

    async def use(self, **more: Any) -> str:
        """The reason why it was refused, or nothing."""
        taken = await self.meter.take([self.a_use(**more)])
        return taken.refused[0].why if taken.refused else ""

    async def left(self) -> dict[str, int]:
        return {bucket.label: bucket.remaining for bucket in (await self.meter.balances(self.of)).buckets}

    async def bucket(self, label: str) -> Bucket:
        (found,) = [bucket for bucket in (await self.meter.balances(self.of)).buckets if bucket.label == label]
        return found


@pytest.fixture
async def phone(database: Database) -> Phone:
    owner = await a_customer()
    return Phone(owner, await a_line(owner))


def data(amount: int | None, label: str, order: int = 1, **more: Any) -> Put:
    return Put(kind="data", amount=amount, label=label, consume_order=order, **more)


def voice(amount: int, label: str, order: int = 1, **more: Any) -> Put:
    return Put(kind="voice", amount=amount, label=label, consume_order=order, **more)


def credit(amount: int, **more: Any) -> Put:
    return Put(kind="money", amount=amount, label="Credit", currency="GBP", **more)


async def test_bonus_goes_before_topup_before_plan_and_flows_over(phone: Phone) -> None:
    await phone.put(data(3 * GB, "Plan", 3), data(2 * GB, "Top-up", 2), data(GB, "Bonus", 1))
    await phone.use(amount=GB // 2)
    assert await phone.left() == {"Plan": 3 * GB, "Top-up": 2 * GB, "Bonus": GB // 2}
    await phone.use(amount=3 * GB)
    assert await phone.left() == {"Plan": 2 * GB + GB // 2, "Top-up": 0, "Bonus": 0}


async def test_a_record_says_what_it_took_from_where(phone: Phone) -> None:
    await phone.put(data(3 * GB, "Plan", 2), data(GB, "Bonus", 1))
    await phone.use(amount=2 * GB)
    (record,) = (await phone.meter.records(phone.of, Asked())).records
    assert [(part.label, part.amount) for part in record.parts or ()] == [("Bonus", GB), ("Plan", GB)]


async def test_of_equals_the_one_that_ends_first_goes_first_then_the_older(phone: Phone) -> None:
    await phone.put(data(GB, "For ever"))
    await phone.put(data(GB, "Later", expires_at=NOON + timedelta(days=9)))
    await phone.put(data(GB, "Sooner", expires_at=NOON + timedelta(days=2)))
    with clock.frozen(NOON + timedelta(minutes=1)):
        await phone.put(data(GB, "Young"))
        await phone.use(amount=3 * GB + 1)
    assert await phone.left() == {"Sooner": 0, "Later": 0, "For ever": 0, "Young": GB - 1}


async def test_nothing_is_taken_from_what_ended_or_has_not_begun(phone: Phone) -> None:
    await phone.put(
        data(GB, "Ending", expires_at=NOON + timedelta(hours=1)),
        data(GB, "Next month", starts_at=NOON + timedelta(days=9)),
    )
    with clock.frozen(NOON + timedelta(hours=1)):
        await phone.use(at=NOON + timedelta(hours=1))
    assert await phone.left() == {"Ending": GB, "Next month": GB}


async def test_a_late_record_uses_what_was_there_when_the_use_began(phone: Phone) -> None:
    await phone.put(data(GB, "Ending", expires_at=NOON + timedelta(hours=1)))
    with clock.frozen(NOON + timedelta(hours=5)):
        await phone.use(at=NOON + timedelta(minutes=59), amount=GB // 4)
    assert await phone.left() == {"Ending": GB - GB // 4}


async def test_unlimited_gives_without_end_and_says_how_much(phone: Phone) -> None:
    await phone.put(data(None, "Unlimited", 1), data(GB, "Top-up", 2))
    await phone.use(amount=50 * GB)
    assert await phone.left() == {"Unlimited": 0, "Top-up": GB}
    assert (await phone.bucket("Unlimited")).consumed == 50 * GB


@pytest.mark.parametrize(
    ("class_", "takes_from"),
    [
        ("on_net", ["On-net", "National", "Any"]),
        ("off_net", ["National", "Any"]),
        ("international", ["Abroad", "Any"]),
        ("roaming", ["Roaming", "Any"]),
        ("premium", ["Premium", "Any"]),
    ],
)
async def test_each_class_uses_the_buckets_that_cover_it(phone: Phone, class_: str, takes_from: list[str]) -> None:
    scopes = {"On-net": "on_net", "National": "national", "Abroad": "international", "Roaming": "roaming"}
    scopes |= {"Premium": "premium", "Any": "any"}
    await phone.put(*(voice(60, label, n, scope=scope) for n, (label, scope) in enumerate(scopes.items(), 1)))
    await phone.use(kind="call", amount=1000, class_=class_)
    assert [label for label, left in (await phone.left()).items() if left == 0] == takes_from


async def test_an_empty_blocker_stops_what_stands_behind_it(phone: Phone) -> None:
    await phone.put(voice(60, "Pass", 1, blocker=True), voice(600, "Plan", 2), credit(500))
    await phone.use(kind="call", amount=100, cost_minor=50, currency="GBP")
    assert await phone.left() == {"Pass": 0, "Plan": 600, "Credit": 500}


async def test_money_pays_the_share_that_no_allowance_covers(phone: Phone) -> None:
    await phone.put(voice(60, "Plan"), credit(500))
    await phone.use(kind="call", amount=180, cost_minor=45, currency="GBP")
    assert await phone.left() == {"Plan": 0, "Credit": 470}
    (record,) = (await phone.meter.records(phone.of, Asked())).records
    assert record.cost_minor == 30


async def test_money_is_taken_down_to_nothing_and_the_whole_cost_is_told(phone: Phone) -> None:
    await phone.put(credit(20))
    await phone.use(kind="call", amount=60, cost_minor=45, currency="GBP")
    assert await phone.left() == {"Credit": 0}
    (record,) = (await phone.meter.records(phone.of, Asked())).records
    assert record.cost_minor == 45


async def test_picture_messages_use_texts_only_where_these_count_them(phone: Phone) -> None:
    text = Put(kind="sms", amount=10, label="Texts", consume_order=1)
    await phone.put(text, replace(text, label="Texts and pictures", counts_mms=True, consume_order=2))
    await phone.use(kind="mms", amount=1)
    assert await phone.left() == {"Texts": 10, "Texts and pictures": 9}


async def test_what_comes_in_takes_nothing_unless_abroad(phone: Phone) -> None:
    await phone.put(voice(600, "Plan"))
    await phone.use(kind="call", amount=100, direction="in")
    assert await phone.left() == {"Plan": 600}
    await phone.use(kind="call", amount=100, direction="in", class_="roaming")
    assert await phone.left() == {"Plan": 500}


async def test_a_shared_bucket_serves_all_its_members(phone: Phone) -> None:
    other = Phone(phone.of, await a_line(phone.of))
    stranger = Phone(phone.of, await a_line(phone.of))
    async with transaction():
        row = {"id": new_id(), "customer_id": phone.of.customer_id, "service_id": phone.id, "members": [str(other.id)]}
        more = {"kind": "data", "label": "Pool", "origin": "plan", "remaining": GB, "as_of": NOON, "created_at": NOON}
        await insert_many(BucketRow, [row | more])
    before = [await phone.meter.revision(phone.of, [each.id]) for each in (phone, other, stranger)]
    taken = await phone.meter.take([phone.a_use(amount=1), other.a_use(id="x", amount=2), stranger.a_use(id="y")])
    assert taken.counted == 3
    assert await phone.left() == {"Pool": GB - 3}
    assert (await phone.meter.balances(phone.of, [other.id])).of(other.id)[0].label == "Pool"
    assert (await phone.meter.balances(phone.of, [stranger.id])).buckets == ()
    await other.use(id="z", amount=1)
    after = [await phone.meter.revision(phone.of, [each.id]) for each in (phone, other, stranger)]
    assert [int(b.split("-")[0]) - int(a.split("-")[0]) for a, b in zip(before, after, strict=True)] == [2, 2, 1]


async def test_the_line_can_be_named_by_account_or_number(database: Database) -> None:
    owner = await a_customer()
    phone = Phone(owner, await a_line(owner, ocs_account="cgr-1001", msisdn="+447700900123"))
    await phone.put(data(GB, "Plan"))
    for name in ("cgr-1001", "+447700900123", str(phone.id).upper()):
        assert await phone.use(service=name, amount=1) == ""
    assert await phone.left() == {"Plan": GB - 3}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"amount": 0}, "The amount must be from 1 to"),
        ({"amount": -1}, "The amount must be from 1 to"),
        ({"amount": 10**15}, "The amount must be from 1 to"),
        ({"kind": "fax"}, "The kind must be"),
        ({"class_": "moon"}, "The class or direction"),
        ({"direction": "up"}, "The class or direction"),
        ({"at": NOON + timedelta(minutes=6)}, "in the future"),
        ({"at": NOON - timedelta(days=367)}, "more than a year ago"),
        ({"service": "nobody"}, "no such service"),
        ({"service": "00000000-0000-7000-8000-000000000000"}, "no such service"),
        ({"cost_minor": 5, "currency": "EUR"}, "EUR, the service in GBP"),
        ({"cost_minor": 5}, "needs its currency"),
        ({"cost_minor": -5, "currency": "GBP"}, "The cost must be"),
        ({"id": "x" * 81}, "The id must"),
        ({"id": "a\x00b"}, "The id must"),
        ({"other_party": "\ud800"}, "other party"),
        ({"country": "GBR"}, "The country"),
    ],
)
async def test_a_bad_use_is_refused_with_the_reason_and_its_neighbours_are_counted(
    phone: Phone, wrong: dict[str, Any], why: str
) -> None:
    await phone.put(data(5 * GB, "Plan"))
    taken = await phone.meter.take([phone.a_use(), phone.a_use(**wrong), phone.a_use()])
    assert taken.counted == 2
    assert [refused.at for refused in taken.refused] == [1]
    assert why in taken.refused[0].why
    assert await phone.left() == {"Plan": 3 * GB}


async def test_a_whole_batch_may_be_sent_again(phone: Phone) -> None:
    await phone.put(data(5 * GB, "Plan"))
    batch = [phone.a_use(amount=n) for n in (1, 2, 3)]
    await phone.meter.take(batch)
    again = await phone.meter.take([*batch, phone.a_use(amount=4), batch[0]])
    assert (again.counted, again.repeated, again.refused) == (1, 4, ())
    assert await phone.left() == {"Plan": 5 * GB - 10}


async def test_an_id_cannot_be_used_for_something_else(phone: Phone) -> None:
    await phone.put(data(5 * GB, "Plan"))
    assert await phone.use(id="one", amount=5) == ""
    assert await phone.use(id="one", amount=6) == "This id was used for something else before."
    assert await phone.left() == {"Plan": 5 * GB - 5}


async def test_a_batch_of_thousands_is_counted_in_parts_and_refusals_keep_their_place(phone: Phone) -> None:
    await phone.put(data(5 * GB, "Plan"))
    uses = [phone.a_use(amount=1) for _ in range(1200)]
    uses[1100] = replace(uses[1100], amount=0)
    taken = await phone.meter.take(uses)
    assert (taken.counted, [refused.at for refused in taken.refused]) == (1199, [1100])


async def test_a_renewal_replaces_what_is_left_and_begins_a_new_period(phone: Phone) -> None:
    plan = data(10 * GB, "Plan data", 3, origin="plan", mode="reset", expires_at=NOON + timedelta(days=30))
    await phone.put(plan, reason="activation")
    await phone.put(data(2 * GB, "Top-up", 2))
    await phone.use(amount=5 * GB)
    later = NOON + timedelta(days=30)
    with clock.frozen(later):
        await phone.put(replace(plan, expires_at=later + timedelta(days=30)), reason="renewal")
        await phone.use(amount=GB, at=later)
        bucket = await phone.bucket("Plan data")
        top_up = await phone.bucket("Top-up")
    assert (bucket.granted, bucket.consumed, bucket.remaining, bucket.period_start) == (10 * GB, GB, 9 * GB, later)
    assert (top_up.granted, top_up.consumed, top_up.remaining) == (0, 0, 0)
    (row,) = [row for row in await fetch(AUDIT.bind()) if row["label"] == "Plan data"]
    assert (row["granted"], row["consumed"], row["forfeited"]) == (20 * GB, 4 * GB, 7 * GB)


async def test_credit_on_top_joins_what_is_there(phone: Phone) -> None:
    await phone.put(credit(500))
    await phone.put(credit(1000))
    assert await phone.left() == {"Credit": 1500}


async def test_two_topups_that_end_at_different_times_stay_apart(phone: Phone) -> None:
    await phone.put(data(GB, "5 GB", expires_at=NOON + timedelta(days=1)))
    await phone.put(data(GB, "5 GB", expires_at=NOON + timedelta(days=2)))
    assert len((await phone.meter.balances(phone.of)).buckets) == 2


@pytest.mark.parametrize(
    "put",
    [
        data(0, "Nothing"),
        data(-5, "Less than nothing"),
        data(GB, "Ended", expires_at=NOON),
        Put(kind="money", amount=5, label="Credit", currency="EUR"),
        Put(kind="money", amount=None, label="Credit", currency="GBP"),
    ],
)
async def test_what_cannot_be_put_in_is_declined_whole(phone: Phone, put: Put) -> None:
    with pytest.raises(Declined):
        await phone.put(data(GB, "Good"), put)
    assert await phone.left() == {}


async def test_the_unit_of_the_sum_is_kept_where_a_share_is_rounded(phone: Phone) -> None:
    await phone.put(voice(1, "Plan"), credit(100))
    await phone.use(kind="call", amount=3, cost_minor=10, currency="GBP")
    assert (await phone.left())["Credit"] == 100 - 7
