"""The door for the network's words about a job, through the real route: what they say is done to the order at once."""

from __future__ import annotations

import json
from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.adapters.provisioning_http import HttpProvisioning
from selfcare.adapters.signatures import sign
from selfcare.app import Application
from selfcare.db.engine import Database
from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import clock
from selfcare.portal.orders import jobs, network, orders
from selfcare.portal.orders import order as reading
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.outcome import Outcome
from selfcare.portal.orders.shop import Shop
from selfcare.ports.provisioning import Action, Provisioning, Work
from tests.support import money, shopping
from tests.support.browser import Browser
from tests.support.money import Counter, Purse
from tests.support.network import SECRET, Network, serving

NOTED = Prepared.sql("SELECT details FROM audit_event WHERE event = 'feeds.refused' ORDER BY at, id")
NOWHERE = "http://127.0.0.1:9"


class Setup:
    """An order that needs the network and nothing else."""

    patience = timedelta(minutes=10)

    def __init__(self, port: Provisioning) -> None:
        self.port = port

    async def deliver(self, order: Order) -> Outcome:
        names = {"customer_id": order.customer_id, "service_id": order.customer_id, "what": order.name}
        return await network.set_up(self.port, Work(id=order.id, action=Action.ADD, **names))

    async def look(self, order: Order) -> Outcome:
        return await network.look(self.port, order.id)


async def send(app: Application, visitor: Browser, job: UUID | str, status: int, secret: str = SECRET) -> int:
    body = json.dumps({"job": str(job), "status": status}).encode()
    headers = {"selfcare-signature": sign(body, secret.encode(), clock.now()), "content-type": "application/json"}
    return (await visitor.client.post("/feeds/provisioning", content=body, headers=headers)).status_code


async def test_only_signed_words_of_our_jobs_are_taken(
    app: Application, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    body_of_nobody = "01939c5e-0000-7000-8000-000000000000"
    assert await send(app, visitor, body_of_nobody, 0) == 404, "no such door where the network is our own"
    port = HttpProvisioning(NOWHERE, [SECRET])
    monkeypatch.setattr(type(app.ports.provisioning), "hear", lambda _self, raw, signature: port.hear(raw, signature))
    assert await send(app, visitor, body_of_nobody, 0) == 404
    assert await send(app, visitor, body_of_nobody, 0, "x" * 40) == 400
    assert (await visitor.client.post("/feeds/provisioning", content=b"{}")).status_code == 400


async def test_what_is_refused_is_on_record_once_an_hour_for_each_reason(
    app: Application, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = HttpProvisioning(NOWHERE, [SECRET])
    monkeypatch.setattr(type(app.ports.provisioning), "hear", lambda _self, raw, signature: port.hear(raw, signature))
    for _n in range(3):
        assert await send(app, visitor, "x", 0, "x" * 40) == 400
        assert (await visitor.client.post("/feeds/provisioning", content=b"{}")).status_code == 400
    noted = [row["details"] for row in await fetch(NOTED.bind())]
    assert [json.loads(each)["reason"] for each in noted] == ["the signature is not ours", "the signature has no time"]
    clock.travel_by(timedelta(hours=1, seconds=1))
    assert await send(app, visitor, "x", 0, "x" * 40) == 400
    assert len(await fetch(NOTED.bind())) == 3


@pytest.mark.parametrize(
    ("said", "ends", "kept"), [(0, State.DELIVERED, 1_000), (2, State.REFUNDED, 0)], ids=["done", "failed"]
)
@pytest.mark.parametrize("reviewed", [False, True], ids=["in time", "under review"])
async def test_an_order_ends_by_what_the_network_says(
    database: Database, counter: Counter, purse: Purse, said: int, ends: State, kept: int, reviewed: bool
) -> None:
    async with serving(Network()) as there:
        port = HttpProvisioning(there.url, [SECRET])
        shop = Shop(counter.till, EmbeddedCharging(), dict.fromkeys(Kind, Setup(port)))
        jobs.add(counter.registry, shop)
        order = await shopping.buy(shop, counter, purse, shopping.wanted())
        assert order.state is State.DELIVERING
        if reviewed:
            clock.travel_by(timedelta(minutes=11))
            there.fault = "http_500"
            assert (await orders.advance(shop, order.id)).state is State.REVIEW
        body = json.dumps({"job": str(order.id), "status": said}).encode()
        for _twice in range(2):
            await port.hear(body, sign(body, SECRET.encode(), clock.now()))
            await orders.end_heard(shop, order.id)
        await counter.work()
    assert (await reading.load(order.id)).state is ends
    assert await money.taken(purse) == kept
    await shopping.check_all()
    await money.check_at_rest()
