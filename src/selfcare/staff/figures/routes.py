"""Handlers of /staff/figures and /staff/lists."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from selfcare.kernel import clock
from selfcare.settings import Settings
from selfcare.staff.audit_log import alarm
from selfcare.staff.figures import figures
from selfcare.web.pages import page


@get("/staff/figures", name="staff.figures")
async def show(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    return page(
        request,
        "staff/figures/index",
        figures=await figures.figures(settings.zone),
        log_is_broken=await alarm.is_broken(),
    )


@get("/staff/lists", name="staff.lists")
async def show_lists(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    return page(
        request,
        "staff/figures/lists",
        cards=await figures.cards_expiring(),
        services=await figures.services_ending(),
        bills=await figures.unpaid(clock.today(settings.zone)),
        most=figures.MOST,
    )


router = Router("/", route_handlers=[show, show_lists])
