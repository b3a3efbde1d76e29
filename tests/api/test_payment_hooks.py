"""The door for payment gateways, through the real route."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from selfcare.adapters.payments_embedded import HOOK, SIGNATURE
from selfcare.adapters.signatures import sign
from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import clock
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
