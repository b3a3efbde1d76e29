"""Handlers of /staff/orders."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict
from selfcare.portal.addons import ending
from selfcare.portal.orders import order as orders
from selfcare.portal.orders import stuck
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.shop import Shop
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.customers import queries as customers
from selfcare.web.forms import Form
from selfcare.web.pages import go, page

SHORTEST_REASON, LONGEST_REASON = 10, 120


@get("/staff/orders", name="staff.orders")
async def show_all(request: Request[Any, Any, Any]) -> Response[bytes]:
    now = clock.now()
    return page(
        request, "staff/orders/index", orders=await stuck.list_stuck(now), lingering=await ending.lingering(now)
    )


@get("/staff/orders/{order_id:uuid}", name="staff.orders.show")
async def show(
    request: Request[Any, Any, Any], order_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    order = await orders.load(order_id)
    await customers.get(identity, order.customer_id, "order")
    return await _page(request, order, Form.empty("reason"))


@post("/staff/orders/{order_id:uuid}/again", name="staff.orders.again", status_code=200)
async def try_again(
    request: Request[Any, Any, Any],
    order_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _act(request, identity, Shop.of(ports, settings), order_id, stuck.try_again)


@post("/staff/orders/{order_id:uuid}/refund", name="staff.orders.refund", status_code=200)
async def give_back(
    request: Request[Any, Any, Any],
    order_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _act(request, identity, Shop.of(ports, settings), order_id, stuck.give_back)


async def _act(
    request: Request[Any, Any, Any], identity: Identity, shop: Shop, order_id: UUID, act: Any
) -> Response[bytes]:
    order = await orders.load(order_id)
    form = await Form.read(request, "reason")
    reason = form.text("reason", least=SHORTEST_REASON, most=LONGEST_REASON)
    if reason is not None:
        try:
            await act(shop, customers.of_customer(identity, order.customer_id), order_id, reason)
        except Conflict as problem:
            form.reject(None, problem.message)
            return await _page(request, await orders.load(order_id), form, status=409)
        return go(request, "staff.orders.show", order_id=order_id)
    return await _page(request, order, form, status=422)


async def _page(request: Request[Any, Any, Any], order: Order, form: Form, *, status: int = 200) -> Response[bytes]:
    customer = await customers.find(order.customer_id)
    steps = await orders.steps_of(order.id)
    return page(request, "staff/orders/show", status=status, order=order, steps=steps, customer=customer, form=form)


router = Router("/", route_handlers=[show_all, show, try_again, give_back])
