"""Handlers of /account/sign-ins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.portal.account.sign_ins import devices
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/account/sign-ins", name="account.sign_ins")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "account/sign_ins/index", devices=await devices.devices(identity, _remembered(request)))


@post("/account/sign-ins/others/end", name="account.sign_ins.end_others", status_code=200)
async def end_others(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    await devices.end_others(identity, _remembered(request))
    return go(request, "account.sign_ins")


@post("/account/sign-ins/kept/end", name="account.sign_ins.forget", status_code=200)
async def forget(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = await Form.read(request, "series")
    await devices.forget(identity, form["series"][:64])
    return go(request, "account.sign_ins")


@post("/account/sign-ins/{sign_in_id:uuid}/end", name="account.sign_ins.end", status_code=200)
async def end(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], sign_in_id: FromPath[UUID]
) -> Response[bytes]:
    await devices.end(identity, sign_in_id, _remembered(request))
    return go(request, "account.sign_ins")


def _remembered(request: Request[Any, Any, Any]) -> str:
    return request.cookies.get(context_of(request).site.cookies.remember, "")


router = Router("/", route_handlers=[show, end_others, forget, end])
