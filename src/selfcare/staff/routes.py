"""Handlers of /staff: where staff land after signing in."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from selfcare.identity import grants
from selfcare.identity.identity import Identity
from selfcare.staff.audit_log import alarm
from selfcare.web.pages import page


@get("/staff", name="staff")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "staff/index", visits=await grants.list_open(identity), log_is_broken=await alarm.is_broken())


router = Router("/", route_handlers=[show])
