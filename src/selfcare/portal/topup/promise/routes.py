"""Handlers of /topup/{service_id}/promise."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.kernel.errors import Conflict, Unavailable
from selfcare.kernel.words import _
from selfcare.portal.orders.shop import Shop
from selfcare.portal.topup.promise import promises
from selfcare.portal.topup.promise.promises import Terms
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.errors import status_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/topup/{service_id:uuid}/promise", name="topup.promise")
async def show(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _page(request, identity, ports, settings, service_id, Form.empty())


@post("/topup/{service_id:uuid}/promise", name="topup.promise.borrow", status_code=200)
async def borrow(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "shown")
    terms = Terms.of(settings)
    try:
        if form["shown"] != _shown(terms):
            raise Conflict(_("What it costs has changed meanwhile. Nothing was added."))
        shop = Shop.of(ports, settings)
        order = await promises.borrow(shop, identity, service_id, terms, request_key=form.request_key)
    except (Conflict, Unavailable, TooOften) as problem:
        fresh = Form.empty()
        fresh.reject(None, problem.message)
        status = status_of(problem)
        return await _page(request, identity, ports, settings, service_id, fresh, status=status)
    return go(request, "orders.show", order_id=order.id)


async def _page(
    request: Request[Any, Any, Any],
    identity: Identity,
    ports: Ports,
    settings: Settings,
    service_id: UUID,
    form: Form,
    *,
    status: int = 200,
) -> Response[bytes]:
    terms = Terms.of(settings)
    try:
        standing = await promises.standing(identity.customer, ports.charging, service_id, terms)
    except Unavailable as problem:
        standing = promises.Standing(name="", refusal=problem.message)
    return page(
        request,
        "topup/promise/index",
        fragment="topup/promise/_offer",
        status=status,
        service_id=service_id,
        standing=standing,
        terms=terms,
        shown=_shown(terms),
        form=form,
    )


def _shown(terms: Terms) -> str:
    return f"{terms.lent.minor}+{terms.fee.minor}"


router = Router("/", route_handlers=[show, borrow])
