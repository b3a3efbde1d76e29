"""Handlers of /usage."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Unavailable
from selfcare.portal.usage import queries
from selfcare.portal.usage.history import Step
from selfcare.ports.ports import Ports
from selfcare.web import waiting
from selfcare.web.pages import page, wants_fragment

# Shorter than the patience of usual proxies.
LONGEST_WAIT_SECONDS = 55


@get("/usage", name="usage")
async def show_all(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    number = _number(request.query_params.get("page", ""))
    overview = await queries.overview(identity.customer, ports.charging, clock.now(), page=number)
    return page(request, "usage/index", overview=overview)


@get("/usage/{service_id:uuid}", name="usage.service")
async def show(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    said = request.query_params
    usage = await queries.usage_of(
        identity.customer,
        ports.charging,
        service_id,
        clock.now(),
        kind=said.get("kind"),
        step=_step(said.get("step", "")),
        until=_day(said.get("until", "")),
    )
    return page(
        request,
        "usage/show",
        fragment="usage/_history",
        usage=usage,
        balance=usage.balance,
        row=usage.balance.row,
        why_here=queries.why_here,
        more=said.get("more", ""),
    )


@get("/usage/{service_id:uuid}/balance", name="usage.balance")
async def show_balance(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    """htmx says which `revision` it shows, and is answered as soon as there is another one, or 204 in the end."""
    known = request.query_params.get("revision", "")
    if known and wants_fragment(request):
        await queries.must_have(identity.customer, service_id)

        async def news() -> bool:
            return await ports.charging.revision(identity.customer, [service_id]) != known

        try:
            changed = await waiting.until(news, seconds=_seconds(request.query_params.get("wait", "")))
        except Unavailable:
            changed = False
        if not changed:
            return Response(b"", status_code=204, headers={"Cache-Control": "no-store"})
    balance = await queries.balance_of(identity.customer, ports.charging, service_id, clock.now())
    return page(
        request,
        "usage/balance",
        fragment="usage/_balance",
        balance=balance,
        row=balance.row,
        why_here=queries.why_here,
    )


@get("/usage/{service_id:uuid}/why", name="usage.why")
async def show_why(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    balance = await queries.balance_of(identity.customer, ports.charging, service_id, clock.now())
    falls = {kind: fall for kind in ("data", "voice", "sms") if (fall := queries.waterfall_of(balance, kind))}
    busiest = await queries.busiest(identity.customer, ports.charging, balance)
    return page(request, "usage/why", balance=balance, row=balance.row, falls=falls, busiest=busiest)


def _number(text: str) -> int:
    """What a link of ours may say; anything else is as if it said nothing."""
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) else 1


def _seconds(text: str) -> float:
    digits = text.isascii() and text.isdigit() and len(text) <= 3
    return min(int(text), LONGEST_WAIT_SECONDS) if digits else LONGEST_WAIT_SECONDS


def _step(text: str) -> Step:
    return Step(text) if text in list(Step) else Step.DAY


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


router = Router("/", route_handlers=[show_all, show, show_balance, show_why])
