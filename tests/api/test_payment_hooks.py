"""The door for payment gateways, through the real route."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from selfcare.adapters.payments_embedded_hooks import HOOK, SIGNATURE
from selfcare.adapters.signatures import sign
from selfcare.api.hooks.routes import NOTED_BY_ADDRESS
from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.jobs.registry import Job
from selfcare.kernel import clock, ids
from selfcare.portal.cards import cards
from selfcare.portal.pay import payments, reconciling
from selfcare.portal.pay.payments import BillPart, How, State
from selfcare.portal.pay.till import Till
from tests.support.browser import Browser

BODY = json.dumps(
    {"id": "evt_1", "kind": "payment.succeeded", "about": "payment", "ref": "pi_1", "payment_id": None, "created": 0}
).encode()
KEPT = Prepared.sql("SELECT event_id FROM webhook_event")


async def send(app: Application, visitor: Browser, body: bytes, *, late: int = 0, signed: bytes | None = None) -> int:
    at = clock.now() + timedelta(seconds=late)
    header = sign(signed or body, app.site.settings.keys.payments, at)
    headers = {SIGNATURE: header, "content-type": "application/json"}
    return (await visitor.client.post(HOOK, content=body, headers=headers)).status_code


async def test_an_event_is_kept_once_however_often_it_comes(app: Application, visitor: Browser) -> None:
    assert [await send(app, visitor, BODY) for _ in range(3)] == [200, 200, 200]
    assert [row["event_id"] for row in await fetch(KEPT.bind())] == ["evt_1"]


@pytest.mark.parametrize("late", [-301, 301], ids=["too old", "from the future"])
async def test_an_event_of_another_time_is_refused(app: Application, visitor: Browser, late: int) -> None:
    assert await send(app, visitor, BODY, late=late) == 400
    assert await fetch(KEPT.bind()) == []


async def test_one_changed_byte_is_refused(app: Application, visitor: Browser) -> None:
    assert await send(app, visitor, BODY.replace(b"pi_1", b"pi_2"), signed=BODY) == 400
    assert await fetch(KEPT.bind()) == []


async def test_bytes_that_are_no_text_are_refused(app: Application, visitor: Browser) -> None:
    assert await send(app, visitor, b"\xff\xfe") == 400


async def test_refused_events_do_not_fill_the_log(app: Application, visitor: Browser) -> None:
    for _ in range(NOTED_BY_ADDRESS.most + 3):
        assert await send(app, visitor, BODY, late=-301) == 400
    assert len(await fetch(REFUSED.bind())) == NOTED_BY_ADDRESS.most
    elsewhere = Browser(app, address="198.51.100.7")
    assert await send(app, elsewhere, BODY, late=-301) == 400
    await elsewhere.close()
    assert len(await fetch(REFUSED.bind())) == NOTED_BY_ADDRESS.most + 1
    # And a good one comes in all the same.
    assert await send(app, visitor, BODY) == 200


REFUSED = Prepared.sql("SELECT id FROM audit_event WHERE event = 'pay.event_refused'")


async def test_events_in_the_wrong_order_and_twice_book_once(app: Application, visitor: Browser) -> None:
    till = Till.of(app.ports, app.site.settings)
    who = audit.system(customer_id=people.PATEL.id)
    asks = (await cards.list_cards(people.PATEL.id))[1]
    [owed] = await fetch(OWED.bind(customer_id=people.PATEL.id))
    how = How(request_key=ids.token(), card_id=asks.id)
    waiting = await payments.pay_bills(till, who, [BillPart(owed["id"])], how)
    assert waiting.gateway_ref is not None
    await app.ports.payments.approve(waiting.gateway_ref, approved=True)  # type: ignore[attr-defined]
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        events = await app.ports.payments.list_missed_events(since=clock.now() - timedelta(hours=1))
    assert [event.kind for event in events] == ["payment.requires_action", "payment.succeeded"]
    for event in [*reversed(events), *events]:
        body = {"id": event.id, "kind": event.kind, "about": "payment", "ref": event.ref, "created": 0}
        assert await send(app, visitor, json.dumps(body | {"payment_id": str(waiting.id)}).encode()) == 200
        await app.catch_up()
        assert (await payments.load(waiting.id)).state is State.SUCCEEDED
    assert len(await fetch(LINES.bind(id=waiting.id))) == 1


OWED = Prepared.sql(
    "SELECT id FROM invoice WHERE customer_id = :customer_id AND state = 'issued' ORDER BY due_on DESC LIMIT 1"
)
LINES = Prepared.sql("SELECT id FROM billing_transaction WHERE payment_id = :id")


async def test_words_are_forgotten_after_a_month_and_events_after_three(app: Application, visitor: Browser) -> None:
    other = BODY.replace(b"evt_1", b"evt_2").replace(b'"about": "payment"', b'"about": "other"')
    for body in (BODY, other):
        assert await send(app, visitor, body) == 200
    await app.catch_up()
    for days, bodies in ((29, [BODY.decode(), other.decode()]), (31, ["", ""]), (91, [])):
        with clock.frozen(clock.now() + timedelta(days=days)):
            await reconciling.forget_old(Job(ids.new_id(), "pay.forget_old", "x", {}, 1))
        assert [row["body"] for row in await fetch(BODIES.bind())] == bodies


BODIES = Prepared.sql("SELECT body FROM webhook_event ORDER BY event_id")
