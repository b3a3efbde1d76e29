"""Handler of /staff/approvals: what waits for a second person, of every kind."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.staff.approvals import approvals
from selfcare.web.pages import page


@get("/staff/approvals", name="staff.approvals")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    """What this person may decide, and what they asked for themselves."""
    kinds = [kind for kind, right in approvals.RIGHT_FOR.items() if identity.can(right)]
    return page(request, "staff/approvals/index", approvals=await approvals.waiting(kinds) if kinds else [])


router = Router("/", route_handlers=[show])
