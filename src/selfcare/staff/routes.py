"""Handlers of /staff: where staff land after signing in."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get

from selfcare.web.pages import page


@get("/staff", name="staff")
async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "staff/index")


router = Router("/", route_handlers=[show])
