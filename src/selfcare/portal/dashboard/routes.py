"""Handlers of / and /alerts."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.portal.dashboard import queries
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.pages import page


@get("/", name="dashboard")
async def show(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    return page(
        request,
        "dashboard/index",
        dashboard=await queries.dashboard(identity, ports.charging, zone=settings.zone),
    )


@get("/alerts", name="alerts")
async def list_alerts(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    return page(
        request, "alerts/index", dashboard=await queries.dashboard(identity, ports.charging, zone=settings.zone)
    )


router = Router("/", route_handlers=[show, list_alerts])
