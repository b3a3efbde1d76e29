"""Handlers of transfers: who takes it over, what that means, and do it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.words import _
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.customers import queries as customers
from selfcare.staff.customers.queries import Customer
from selfcare.staff.money import giving
from selfcare.staff.transfers import queries, transfers
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/staff/customers/{customer_id:uuid}/services/{service_id:uuid}/transfer", name="staff.transfers.show")
async def show(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    """First who takes it over; once that customer is named, what it means for both."""
    old = await customers.get(identity, customer_id, "transfer")
    form = Form.query(request, "to", "request", "done")
    to = None
    if form["to"].strip():
        number = form.text("to", most=40)
        to = await queries.find_by_number(number) if number else None
        if number and to is None:
            form.reject("to", _("There is no customer with this customer ID."))
    return await _page(request, old, service_id, to, form, ports, status=200 if form else 422)


@post(
    "/staff/customers/{customer_id:uuid}/services/{service_id:uuid}/transfer",
    name="staff.transfers.transfer",
    status_code=200,
)
async def transfer(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    old = await customers.find(customer_id)
    form = await Form.read(request, "to", "reason", "agreed", "request")
    number = form.text("to", most=40)
    reason = form.text("reason", least=10, most=200)
    request_id = form.uuid("request") if form["request"] else None
    if not form.flag("agreed"):
        form.reject("agreed", _("Ask both owners first."))
    to = await queries.find_by_number(number) if number else None
    if to is None:
        form.reject("to", _("There is no customer with this customer ID."))
    elif form and reason:
        wanted = transfers.Wanted(customer_id, service_id, to, reason, request_id)
        try:
            moved = await transfers.transfer(ports, settings, identity, wanted)
        except (Rejected, Conflict) as problem:
            form.reject(None, problem.message)
        else:
            if moved is None:
                return go(request, "staff.approvals")
            return go(request, "staff.customers.services", customer_id=to)
    return await _page(request, old, service_id, to, form, ports, status=422)


@post("/staff/transfers/{approval_id:uuid}", name="staff.transfers.decide", status_code=200)
async def decide(
    request: Request[Any, Any, Any],
    approval_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "decision")
    decision = form.choice("decision", ("yes", "no"))
    if decision:
        await transfers.decide(ports, identity, approval_id, yes=decision == "yes")
    return go(request, "staff.approvals")


async def _page(
    request: Request[Any, Any, Any],
    old: Customer,
    service_id: UUID,
    to: UUID | None,
    form: Form,
    ports: Ports,
    *,
    status: int,
) -> Response[bytes]:
    settings = context_of(request).site.settings
    return page(
        request,
        "staff/transfers/show",
        status=status,
        customer=old,
        service=await queries.service_of(old.id, service_id),
        plan=await queries.plan(old, service_id, to, ports.charging) if to else None,
        form=form,
        alone=giving.alone(settings, old.scope.currency),
    )


router = Router("/", route_handlers=[show, transfer, decide])
