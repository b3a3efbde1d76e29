"""The door for payment gateways: POST /hooks/payments/{adapter}."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Request, Response, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.portal.pay import hooks
from selfcare.portal.pay.till import Till
from selfcare.ports.payments import BadEvent
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import context_of

log = logging.getLogger(__name__)


@post("/hooks/payments/{adapter:str}", name="hooks.payments", status_code=200)
async def take_event(
    request: Request[Any, Any, Any],
    adapter: FromPath[str],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """200 as soon as it is written down: then it will be handled. 400 where the gateway did not sign it."""
    if adapter != ports.payments.name:
        raise NotFound
    raw = await request.body()
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        event = ports.payments.parse_webhook(raw, headers, now=clock.now())
        body = raw.decode()
    except (BadEvent, UnicodeDecodeError) as error:
        await _refuse(request, str(error))
        return _answer(400)
    await hooks.keep(Till.of(ports, settings), event, body=body)
    return _answer(200)


async def _refuse(request: Request[Any, Any, Any], why: str) -> None:
    log.warning("refused a webhook: %s", why)
    async with transaction():
        who = audit.visitor(context_of(request).origin)
        await audit.record(who, Event.PAY_EVENT_REFUSED, outcome="refused", reason=why)


def _answer(status: int) -> Response[bytes]:
    return Response(b"", status_code=status, media_type="text/plain", headers={"Cache-Control": "no-store"})


router = Router("/", route_handlers=[take_event])
