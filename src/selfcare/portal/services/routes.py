"""Handlers of /services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel import clock
from selfcare.portal.services import queries
from selfcare.portal.services.queries import Asked, ServiceRow
from selfcare.portal.services.services import offers
from selfcare.web.context import context_of
from selfcare.web.pages import page

LONGEST_SEARCH = 60
_SOLD_AS = {"topup": "topup", "addons": "addon"}


@get("/services", name="services")
async def list_all(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    asked = _asked(request)
    services = await queries.list_services(identity.customer, asked, clock.now())
    return page(
        request,
        "services/index",
        fragment="services/_list",
        services=services,
        asked=asked,
        offers=_offers(request, identity, services.sold),
    )


@get("/services/{service_id:uuid}", name="services.show")
async def show(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    service = await queries.get_service(identity.customer, service_id, clock.now())
    return page(
        request, "services/show", service=service, row=service.row, offers=_offers(request, identity, service.sold)
    )


def _asked(request: Request[Any, Any, Any]) -> Asked:
    """What a link of ours may say; anything else is as if it said nothing."""
    said = request.query_params
    state, kind, number = said.get("state", ""), said.get("type", ""), said.get("page", "")
    return Asked(
        words=" ".join(said.get("q", "").split())[:LONGEST_SEARCH].replace("\x00", ""),
        state=state if state in queries.STATES else "all",
        type=kind if kind.isalnum() and len(kind) <= 16 else "all",
        page=int(number) if number.isascii() and number.isdigit() and 0 < len(number) < 6 and int(number) else 1,
    )


def _offers(
    request: Request[Any, Any, Any], identity: Identity, sold: frozenset[tuple[str, str]]
) -> Callable[[ServiceRow], list[tuple[str, str]]]:
    """For a service what may be done with it and where: what it allows, what the person may, what this portal has."""
    routes = context_of(request).site.urls
    wanted = {
        "pay": ("billing", Right.VIEW_OWN_BILLS),
        "usage": ("usage.service", Right.VIEW_OWN_USAGE),
        "topup": ("topup.service", Right.BUY_TOPUP),
        "addons": ("addons.service", Right.BUY_ADDON),
    }
    possible = {what: route for what, (route, right) in wanted.items() if route in routes and identity.can(right)}

    def of(row: ServiceRow) -> list[tuple[str, str]]:
        for_sale = [what for what, category in _SOLD_AS.items() if (category, row.type) in sold]
        return [(what, possible[what]) for what in offers(row.status, for_sale) if what in possible]

    return of


router = Router("/", route_handlers=[list_all, show])
