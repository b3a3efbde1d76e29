"""Handlers of /account/erasure."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Conflict
from selfcare.portal.account.erasure import erasures
from selfcare.ports.ports import Ports
from selfcare.web import links
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/account/erasure", name="account.erasure")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "account/erasure/index", outlook=await erasures.outlook(identity), form=Form.empty())


@post("/account/erasure", name="account.erasure.ask", status_code=200)
async def ask(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    form = await Form.read(request)
    try:
        await erasures.ask(identity, messages=ports.messages)
        return go(request, "account.erasure")
    except Conflict as problem:
        form.reject(None, problem.message)
    outlook = await erasures.outlook(identity)
    return page(
        request,
        "account/erasure/index",
        fragment="account/erasure/_outlook",
        status=409,
        outlook=outlook,
        form=form,
    )


@post("/account/erasure/stop", name="account.erasure.stop", status_code=200)
async def stop(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    await erasures.cancel(identity, messages=ports.messages)
    return go(request, "account.erasure")


@get("/account/erasure/cancel", name="account.erasure.cancel")
async def show_cancel(request: Request[Any, Any, Any]) -> Response[bytes]:
    if moved := links.moved(request, "account.erasure.cancel"):
        return moved
    await erasures.look_at(links.token_of(request))
    return page(request, "account/erasure/cancel")


@post("/account/erasure/cancel", name="account.erasure.cancelled", status_code=200)
async def cancel(request: Request[Any, Any, Any], ports: NamedDependency[Ports]) -> Response[bytes]:
    await Form.read(request)
    await erasures.cancel_by_link(links.token_of(request), context_of(request).origin, messages=ports.messages)
    links.used(request)
    return page(request, "account/erasure/cancelled", fragment="account/erasure/_cancelled")


router = Router("/", route_handlers=[show, ask, stop, show_cancel, cancel])
