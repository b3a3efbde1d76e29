"""Handlers of /account."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.portal.account import queries
from selfcare.portal.help import tips
from selfcare.web.leads import leads_to
from selfcare.web.pages import page


@get("/account", name="account")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(
        request,
        "account/index",
        overview=await queries.overview(identity),
        tip=await tips.find(identity, "account"),
        leads_to=leads_to(request),
    )


router = Router("/", route_handlers=[show])
