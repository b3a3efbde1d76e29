"""Handlers of /topup."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.portal.topup import queries
from selfcare.web.pages import page


@get("/topup", name="topup")
async def choose_service(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "topup/index", targets=await queries.list_targets(identity.customer))


@get("/topup/{service_id:uuid}", name="topup.service")
async def choose_product(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    target, offers = await queries.offers_for(identity.customer, service_id)
    return page(request, "topup/service", target=target, offers=offers)


router = Router("/", route_handlers=[choose_service, choose_product])
