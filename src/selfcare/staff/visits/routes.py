"""Handlers of "Login as User" and of the visits one has open."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity import grants
from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.customers import queries
from selfcare.staff.visits import visits
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, go_to, page


@get("/staff/customers/{customer_id:uuid}/login/{user_id:uuid}", name="staff.visits.new")
async def show_new(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    user_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _form_page(request, customer_id, user_id, identity, settings, Form.empty("reason", "ticket", "code"))


@post("/staff/customers/{customer_id:uuid}/login/{user_id:uuid}", name="staff.visits.open", status_code=200)
async def open_visit(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    user_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "reason", "ticket", "code", several=("actions",))
    reason = form.text("reason", least=grants.SHORTEST_REASON, most=500)
    ticket = form.text("ticket", least=0, most=60)
    code = form.text("code", least=0, most=20)
    if not form or reason is None:
        return await _form_page(request, customer_id, user_id, identity, settings, form, status=422)
    wanted = visits.Wanted(reason, ticket or None, frozenset(form.several["actions"]), (code or "").replace(" ", ""))
    try:
        grant_id = await visits.open_visit(
            identity,
            customer_id,
            user_id,
            wanted,
            settings=settings,
            messages=ports.messages,
            flags=context_of(request).site.flags,
        )
    except Rejected as problem:
        form.reject(problem.field, problem)
        return await _form_page(request, customer_id, user_id, identity, settings, form, status=422)
    if grant_id is None:
        return await _asked_page(request, customer_id, user_id, Form.empty("reason", reason=reason))
    return go_to(request, _portal(request, grant_id))


@get("/staff/visits/{grant_id:uuid}", name="staff.visits.show")
async def show(
    request: Request[Any, Any, Any], grant_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    visit = await grants.find(grant_id, identity)
    if visit is None:
        raise NotFound
    return page(request, "staff/visits/show", visit=visit, portal=_portal(request, grant_id))


@post("/staff/visits/{grant_id:uuid}/stop", name="staff.visits.stop", status_code=200)
async def stop(
    request: Request[Any, Any, Any], grant_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    await Form.read(request)
    if await grants.find(grant_id, identity) is None:
        raise NotFound
    await grants.stop(grant_id, "staff", identity.origin, actor_id=identity.actor_id)
    return go(request, "staff.visits.show", grant_id=grant_id)


@post("/support-visit/stop", name="acting.stop", status_code=200)
async def stop_here(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    """From the banner: this tab leaves the customer's portal."""
    await Form.read(request)
    if identity.grant is None:
        raise NotFound
    await grants.stop(identity.grant.id, "staff", identity.origin, actor_id=identity.actor_id)
    return go_to(request, context_of(request).site.urls.to("staff.visits.show", grant_id=identity.grant.id))


@post(
    "/staff/customers/{customer_id:uuid}/login/{user_id:uuid}/override", name="staff.visits.override", status_code=200
)
async def ask_to_override(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    user_id: FromPath[UUID],
    identity: NamedDependency[Identity],
) -> Response[bytes]:
    form = await Form.read(request, "reason")
    reason = form.text("reason", least=grants.SHORTEST_REASON, most=200)
    if reason is not None:
        try:
            await visits.ask_to_override(identity, customer_id, user_id, reason)
        except (Rejected, Conflict) as problem:
            form.reject(None, problem.message)
        else:
            return go(request, "staff.approvals")
    return await _asked_page(request, customer_id, user_id, form, status=422)


@post("/staff/visits/approvals/{approval_id:uuid}", name="staff.visits.decide", status_code=200)
async def decide(
    request: Request[Any, Any, Any],
    approval_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "decision")
    decision = form.choice("decision", ("yes", "no"))
    if decision:
        await visits.decide(identity, approval_id, yes=decision == "yes", messages=ports.messages)
    return go(request, "staff.approvals")


async def _asked_page(
    request: Request[Any, Any, Any], customer_id: UUID, user_id: UUID, form: Form, *, status: int = 200
) -> Response[bytes]:
    customer = await queries.find(customer_id)
    return page(request, "staff/visits/asked", status=status, customer=customer, user_id=user_id, form=form)


def _portal(request: Request[Any, Any, Any], grant_id: UUID) -> str:
    return context_of(request).site.urls.to("dashboard", f"/as/{grant_id}")


async def _form_page(
    request: Request[Any, Any, Any],
    customer_id: UUID,
    user_id: UUID,
    identity: Identity,
    settings: Settings,
    form: Form,
    *,
    status: int = 200,
) -> Response[bytes]:
    contact = await visits.person(customer_id, user_id)
    return page(
        request,
        "staff/visits/new",
        status=status,
        form=form,
        customer=await queries.find(customer_id),
        contact=contact,
        why_not=visits.why_not(identity, contact),
        actions=visits.actions_of(identity, settings),
    )


router = Router("/", route_handlers=[show_new, open_visit, ask_to_override, decide, show, stop, stop_here])
