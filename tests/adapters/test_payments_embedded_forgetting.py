"""The simulated gateway does not grow for ever, and forgets nothing that somebody may still ask for."""

from __future__ import annotations

from datetime import timedelta

from selfcare.adapters import payments_embedded_forgetting as forgetting
from selfcare.db.engine import Database
from selfcare.db.prepared import Prepared, fetch
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing import ledger
from selfcare.portal.pay import refunds
from selfcare.portal.pay.refunds import Source
from tests.support import money

TABLES = ("sim_request", "sim_event", "sim_payment", "sim_refund", "sim_card")


async def counts() -> dict[str, int]:
    return {
        table: int((await fetch(Prepared.sql(f"SELECT count(*) AS n FROM {table}").bind()))[0]["n"]) for table in TABLES
    }


async def forget(after: timedelta) -> dict[str, int]:
    with clock.frozen(clock.now() + after):
        await forgetting.forget_old(Job(new_id(), "bank.forget_old", "night", {}, 1))
    return await counts()


async def test_what_was_told_goes_after_a_month_and_what_was_paid_after_a_year(database: Database) -> None:
    counter, purse = money.counter(), await money.purse()
    paid = await money.pay(counter, purse, await money.bill(purse, 2_400))
    await refunds.refund(
        counter.till, purse.person, paid.id, Money(400, "GBP"), source=Source.BILL, reason="asked for it"
    )
    await counter.work()
    before = await counts()
    assert min(before.values()) > 0
    assert await forget(timedelta(days=29)) == before
    month = await forget(timedelta(days=31))
    assert (month["sim_request"], month["sim_event"]) == (0, 0)
    assert {name: month[name] for name in TABLES[2:]} == {name: before[name] for name in TABLES[2:]}
    year = await forget(timedelta(days=401))
    assert (year["sim_payment"], year["sim_refund"]) == (0, 0)
    # A card that is still kept may be charged tomorrow.
    assert year["sim_card"] == before["sim_card"]
    assert await ledger.check() == []
