"""The door for payment gateways: POST /hooks/payments/{adapter}."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from litestar import Request, Response, Router, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity import limits
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.portal.pay import hooks
from selfcare.portal.pay.till import Till
from selfcare.ports.payments import BadEvent
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import context_of

NOTED_BY_ADDRESS = limits.Limit("hooks.refused.address", 10, timedelta(hours=1))
NOTED = limits.Limit("hooks.refused", 100, timedelta(hours=1))

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
    origin = context_of(request).origin
    async with transaction():
        # Anybody can knock here: the log of who did what must not fill up with it.
        noted = await limits.allows_here(NOTED_BY_ADDRESS, limits.network(origin.address))
        if noted and await limits.allows_here(NOTED, "all"):
            await audit.record(audit.visitor(origin), Event.PAY_EVENT_REFUSED, outcome="refused", reason=why)


def _answer(status: int) -> Response[bytes]:
    return Response(b"", status_code=status, media_type="text/plain", headers={"Cache-Control": "no-store"})


router = Router("/", route_handlers=[take_event])
