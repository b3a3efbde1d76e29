"""Records go in time, and what buckets gave stays."""

from __future__ import annotations

from datetime import timedelta

from selfcare.adapters import charging_forgetting
from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.db.engine import Database
from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import Delivery, Put, Use
from tests.support.lines import a_customer, a_line

_ALL = Prepared.sql("SELECT external_id, other_party FROM usage_record ORDER BY started_at")
_GAVE = Prepared.sql("SELECT consumed FROM bucket")


async def test_after_a_year_nobody_knows_with_whom_and_after_thirteen_months_nothing(database: Database) -> None:
    owner = await a_customer()
    line = await a_line(owner)
    charging = EmbeddedCharging()
    put = Put(kind="voice", amount=6000, label="Minutes")
    await charging.credit(Delivery(order_id=new_id(), customer_id=owner.customer_id, service_id=line, puts=(put,)))
    for days in (0, 20, 60):
        with clock.frozen(clock.now() + timedelta(days=days)):
            use = Use(
                id=f"after-{days}",
                service=str(line),
                kind="call",
                amount=60,
                at=clock.now(),
                other_party="+447700900301",
            )
            assert (await charging.take([use])).counted == 1
    with clock.frozen(clock.now() + timedelta(days=410)):
        assert await charging_forgetting.forget() == (1, 1)
        assert await charging_forgetting.forget() == (0, 0)
    assert [(row["external_id"], row["other_party"]) for row in await fetch(_ALL.bind())] == [
        ("after-20", None),
        ("after-60", "+447700900301"),
    ]
    assert (await fetch(_GAVE.bind()))[0]["consumed"] == 180
