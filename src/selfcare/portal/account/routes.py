"""Handlers of /account."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.portal.account import queries
from selfcare.web.pages import page


@get("/account", name="account")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "account/index", overview=await queries.overview(identity))


router = Router("/", route_handlers=[show])
