"""Two processes, 64 uses at the same time, one bucket."""

from __future__ import annotations

from uuid import UUID

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.db.prepared import fetch
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import Asked, Delivery, Put
from tests.adapters import runners
from tests.support import databases
from tests.support.lines import AUDIT, Owner, a_customer, a_line


async def prepare(url: str, texts: int) -> tuple[Owner, UUID]:
    async with databases.opened(url):
        owner = await a_customer()
        line = await a_line(owner)
        put = Put(kind="sms", amount=texts, label="Texts")
        await EmbeddedCharging().credit(
            Delivery(order_id=new_id(), customer_id=owner.customer_id, service_id=line, puts=(put,))
        )
    return owner, line


async def test_every_use_is_counted_once_and_the_bucket_is_exact(database_url: str) -> None:
    owner, line = await prepare(database_url, texts=100)
    said = await runners.together(database_url, str(line))
    assert sum(counted for counted, _repeated in said) == 2 * runners.EACH - runners.SAME
    assert sum(repeated for _counted, repeated in said) == runners.SAME
    async with databases.opened(database_url):
        (row,) = await fetch(AUDIT.bind())
        assert (row["remaining"], row["consumed"], row["parts"]) == (44, 56, 56)
        assert (await EmbeddedCharging().revision(owner, [line])).startswith("65-")


async def test_what_does_not_fit_takes_nothing(database_url: str) -> None:
    owner, line = await prepare(database_url, texts=20)
    await runners.together(database_url, str(line))
    async with databases.opened(database_url):
        (row,) = await fetch(AUDIT.bind())
        assert (row["remaining"], row["consumed"], row["parts"]) == (0, 20, 20)
        found = (await EmbeddedCharging().records(owner, Asked(), limit=100)).records
        assert len(found) == 56
        assert sum(1 for record in found if record.parts) == 20
