"""The doors for the network: what was used, which lines are slow, and how far its jobs are."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any

from litestar import Request, Response, Router, post
from litestar.di import NamedDependency

from selfcare.api.feeds import addresses, speed, usage
from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity import limits
from selfcare.identity.limits import Limit
from selfcare.kernel.words import _
from selfcare.portal.orders.jobs import HEARD
from selfcare.ports.charging import Taken
from selfcare.ports.failures import Declined, Unreachable
from selfcare.ports.jobs import MONEY
from selfcare.ports.payments import BadEvent
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import context_of

READERS = {
    "application/json": usage.read_batch,
    "application/x-ndjson": usage.read_lines,
    "application/jsonl": usage.read_lines,
}
# A network that sends nonsense gets told about it a thousand times, not more.
MOST_TOLD = 1_000
REFUSED = Limit("feeds.refused", 1, timedelta(hours=1))
JOB_SIGNATURE = "selfcare-signature"

log = logging.getLogger(__name__)


@post("/feeds/usage", name="feeds.usage", status_code=200)
async def take_usage(
    request: Request[Any, Any, Any], ports: NamedDependency[Ports], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """200: all counted, or counted before. 422: the rest was, and what was not is listed."""
    if not is_known(request.headers.get("authorization", ""), settings.feed_keys):
        return _answer(request, 401, _("A feed key is needed."), {"WWW-Authenticate": "Bearer"})
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    reader = READERS.get(kind)
    if reader is None:
        return _answer(request, 415, _("Send application/json or application/x-ndjson."))
    try:
        taken = await usage.feed(ports.charging, reader(await request.body()))
    except usage.TooMany as error:
        return _answer(request, 413, error.message)
    except usage.Unreadable as error:
        return _answer(request, 400, error.message)
    except Declined as error:
        return _answer(request, 409, error.message)
    except Unreachable as error:
        return _answer(request, 503, error.message, {"Retry-After": str(error.retry_after)})
    return _counted(request, taken)


@post("/feeds/speed", name="feeds.speed", status_code=200)
async def take_speed(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    """Which lines the network has slowed down, or not any more. 422: the rest was noted."""
    if not is_known(request.headers.get("authorization", ""), settings.feed_keys):
        return _answer(request, 401, _("A feed key is needed."), {"WWW-Authenticate": "Bearer"})
    try:
        noted = await speed.feed(await request.body())
    except speed.Unreadable as error:
        return _answer(request, 400, error.message)
    return _noted(request, noted)


@post("/feeds/provisioning", name="feeds.provisioning", status_code=200)
async def hear_of_a_job(request: Request[Any, Any, Any], ports: NamedDependency[Ports]) -> Response[bytes]:
    """200: written down. 400: not signed by the network, or not readable. 404: no job of ours."""
    try:
        told = await ports.provisioning.hear(await request.body(), request.headers.get(JOB_SIGNATURE, ""))
    except BadEvent as error:
        await _note_refused(str(error))
        return _empty(400)
    if told.progress.has_ended:
        async with transaction():
            key, payload = f"{HEARD}:{told.job_id}", {"order_id": str(told.job_id)}
            await ports.jobs.enqueue(HEARD, key=key, payload=payload, priority=MONEY)
    return _empty(200)


async def _note_refused(reason: str) -> None:
    """Once an hour for each reason, of which there are a few: strangers may knock as often as they like."""
    async with transaction():
        if not await limits.allows_here(REFUSED, reason):
            return
        await audit.record(audit.SYSTEM, Event.FEEDS_REFUSED, outcome="refused", reason=reason)
    log.warning("refused the state of a job: %s", reason)


@post("/feeds/addresses", name="feeds.addresses", status_code=200)
async def take_addresses(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    """Which line has which network address now. 422: the rest was noted."""
    if not is_known(request.headers.get("authorization", ""), settings.feed_keys):
        return _answer(request, 401, _("A feed key is needed."), {"WWW-Authenticate": "Bearer"})
    try:
        noted = await addresses.feed(await request.body())
    except speed.Unreadable as error:
        return _answer(request, 400, error.message)
    return _noted(request, noted)


router = Router("/", route_handlers=[take_usage, take_speed, take_addresses, hear_of_a_job])


def is_known(authorization: str, keys: Sequence[str]) -> bool:
    """Every key is compared, and each in the same time, whatever was sent."""
    scheme, _space, sent = authorization.partition(" ")
    given = sha256(sent.strip().encode("utf-8", "surrogatepass")).digest()
    found = [hmac.compare_digest(given, sha256(key.encode()).digest()) for key in keys]
    return any(found) and scheme.lower() == "bearer"


def _counted(request: Request[Any, Any, Any], taken: Taken) -> Response[bytes]:
    refused = [{"index": each.at, "id": each.id, "reason": each.why} for each in taken.refused[:MOST_TOLD]]
    body = {"counted": taken.counted, "repeated": taken.repeated, "refused": len(taken.refused)}
    if not taken.refused:
        return _json(200, body, "application/json")
    title = _("Some records were refused; the others are counted.")
    return _answer(request, 422, title, None, body | {"errors": refused})


def _noted(request: Request[Any, Any, Any], noted: speed.Noted) -> Response[bytes]:
    body = {"noted": noted.count, "refused": len(noted.refused)}
    if not noted.refused:
        return _json(200, body, "application/json")
    errors = [{"index": at, "reason": why} for at, why in noted.refused]
    return _answer(request, 422, _("Some lines were refused; the others are noted."), None, body | {"errors": errors})


def _answer(
    request: Request[Any, Any, Any],
    status: int,
    title: str,
    headers: dict[str, str] | None = None,
    more: dict[str, Any] | None = None,
) -> Response[bytes]:
    body = {"status": status, "title": title, "request_id": context_of(request).origin.request_id} | (more or {})
    return _json(status, body, "application/problem+json", headers)


def _empty(status: int) -> Response[bytes]:
    return Response(b"", status_code=status, media_type="text/plain", headers={"Cache-Control": "no-store"})


def _json(status: int, body: dict[str, Any], kind: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(
        json.dumps(body).encode(),
        status_code=status,
        media_type=kind,
        headers={"Cache-Control": "no-store"} | (headers or {}),
    )
