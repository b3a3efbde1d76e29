"""Handlers of /billing/promise."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Conflict
from selfcare.portal.billing.promise import promises
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/billing/promise", name="billing.promise")
async def show(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    return await _page(request, identity, settings, Form.empty())


@post("/billing/promise", name="billing.promise.give", status_code=200)
async def give(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "shown")
    try:
        await promises.promise(identity, settings.promise_days, form["shown"], messages=ports.messages)
    except Conflict as problem:
        fresh = Form.empty()
        fresh.reject(None, problem.message)
        return await _page(request, identity, settings, fresh, status=409)
    return go(request, "billing.promise")


async def _page(
    request: Request[Any, Any, Any], identity: Identity, settings: Settings, form: Form, *, status: int = 200
) -> Response[bytes]:
    found = await promises.standing(identity.customer, settings.promise_days)
    return page(
        request,
        "billing/promise/index",
        fragment="billing/promise/_offer",
        status=status,
        standing=found,
        shown=promises.shown_of(found),
        form=form,
    )


router = Router("/", route_handlers=[show, give])
