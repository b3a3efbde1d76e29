"""Handlers of /account."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
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
        # Without it the phone number is changed on a page that asks for the proof first.
        proved=identity.recently_proved(clock.now()),
    )


router = Router("/", route_handlers=[show])
