"""Handlers of /help."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get

from selfcare.web.pages import page


@get("/help", name="help")
async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "help/index")


router = Router("/", route_handlers=[show])
