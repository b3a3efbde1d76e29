"""What is left of a service moves to the service it goes on as: to the unit, and nothing that others share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.db.engine import Database, transaction
from selfcare.db.prepared import fetch
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import Delivery, Handover, Put, Use
from selfcare.ports.failures import Declined
from tests.adapters.test_charging_counting import GB, NOON
from tests.adapters.test_charging_ledger import LEDGER
from tests.support.databases import change
from tests.support.lines import Owner, a_customer, a_line

PUTS = (
    Put(kind="data", amount=5 * GB, label="Plan", origin="plan"),
    Put(kind="data", amount=None, label="Chat"),
    Put(kind="voice", amount=600, label="Plan", blocker=True),
    Put(kind="money", amount=1234, label="Credit", currency="GBP"),
)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(NOON):
        yield


async def two_lines() -> tuple[Owner, Owner, Handover]:
    old, new = await a_customer(), await a_customer()
    return (
        old,
        new,
        Handover(
            customer_id=old.customer_id,
            service_id=await a_line(old),
            to_customer_id=new.customer_id,
            to_service_id=await a_line(new),
        ),
    )


async def filled(move: Handover) -> EmbeddedCharging:
    meter = EmbeddedCharging()
    await meter.credit(Delivery(order_id=new_id(), customer_id=move.customer_id, service_id=move.service_id, puts=PUTS))
    uses = [
        Use(id="a", service=str(move.service_id), kind="data", amount=2 * GB + 7, at=NOON),
        Use(id="b", service=str(move.service_id), kind="call", amount=61, at=NOON),
    ]
    assert (await meter.take(uses)).counted == 2
    return meter


async def test_what_is_left_moves_to_the_unit_and_the_books_of_both_come_out(database: Database) -> None:
    old, new, move = await two_lines()
    meter = await filled(move)
    async with transaction():
        await meter.hand_over(move)
    left = {(one.kind, one.label): one.remaining for one in (await meter.balances(new)).buckets}
    assert left == {
        ("data", "Plan"): 3 * GB - 7,
        ("data", "Chat"): 0,
        ("voice", "Plan"): 539,
        ("money", "Credit"): 1234,
    }
    assert not any(one.is_live(NOON) for one in (await meter.balances(old)).buckets)
    for owner in (old, new):
        for row in await fetch(LEDGER.bind(customer=owner.customer_id)):
            assert row["parts"] == row["consumed"]
            assert row["grants"] == row["granted"]
            assert row["is_unlimited"] or row["granted"] == row["consumed"] + row["remaining"] + row["forfeited"]


async def test_twice_moves_nothing_more(database: Database) -> None:
    _old, new, move = await two_lines()
    meter = await filled(move)
    for _time in range(2):
        async with transaction():
            await meter.hand_over(move)
    assert len((await meter.balances(new)).buckets) == len(PUTS)


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("UPDATE bucket SET members = '[]' WHERE kind = 'data' AND service_id = :id", "shares an allowance"),
        ("UPDATE bucket SET remaining = -1, granted = NULL WHERE kind = 'money' AND service_id = :id", "below zero"),
        ("UPDATE bucket SET reserved = 1 WHERE kind = 'voice' AND service_id = :id", "going on"),
    ],
)
async def test_what_cannot_be_parted_is_refused(database: Database, sql: str, why: str) -> None:
    _old, new, move = await two_lines()
    meter = await filled(move)
    await change(sql, id=move.service_id)
    with pytest.raises(Declined, match=why):
        async with transaction():
            await meter.hand_over(move)
    assert (await meter.balances(new)).buckets == ()
