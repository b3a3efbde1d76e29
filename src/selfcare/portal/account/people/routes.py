"""Handlers of /account/people, /account/invitation and /account/switch."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy, Weak
from selfcare.identity.rights import Role
from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.portal.account.people import invitations, members, queries
from selfcare.portal.account.people.invitations import Open
from selfcare.portal.account.people.members import LastOwner
from selfcare.portal.activity.words import role_name
from selfcare.portal.services import queries as services
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web import links
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, go_to, page
from selfcare.web.urls import safe_next

# A form has 200 fields at most.
MOST_LINES = 150


@get("/account/people", name="account.people")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "account/people/index", people=await queries.people(identity.customer), role_name=role_name)


@get("/account/people/invite", name="account.people.new")
async def show_invite(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return await _invite_page(request, identity, Form.empty("email", role="viewer"))


@post("/account/people/invite", name="account.people.invite", status_code=200)
async def invite(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    form = await Form.read(request, "email", "role", several=("lines",))
    email = form.email()
    role, lines = await _role_and_lines(form, identity)
    if email is not None and role is not None and form:
        try:
            await invitations.invite(identity, email, role, lines, messages=ports.messages)
        except Rejected as problem:
            form.reject(problem.field, problem)
    if not form:
        return await _invite_page(request, identity, form, status=422)
    return go(request, "account.people")


@post("/account/people/invitations/{invitation_id:uuid}/withdraw", name="account.people.withdraw", status_code=200)
async def withdraw(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], invitation_id: FromPath[UUID]
) -> Response[bytes]:
    await invitations.withdraw(identity, invitation_id)
    return go(request, "account.people")


@get("/account/people/{member_id:uuid}", name="account.people.show")
async def show_member(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], member_id: FromPath[UUID]
) -> Response[bytes]:
    member = await queries.get_member(identity.customer, member_id)
    form = Form.empty(role=member.role.value)
    form.several["lines"] = member.service_ids or []
    return await _member_page(request, identity, member, form)


@post("/account/people/{member_id:uuid}", name="account.people.change", status_code=200)
async def change(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    member_id: FromPath[UUID],
) -> Response[bytes]:
    member = await queries.get_member(identity.customer, member_id)
    form = await Form.read(request, "role", several=("lines",))
    role, lines = await _role_and_lines(form, identity)
    if role is not None and form:
        try:
            await members.change(identity, member_id, role, lines, messages=ports.messages)
        except LastOwner as problem:
            form.reject(problem.field, problem)
    if not form:
        return await _member_page(request, identity, member, form, status=422)
    return go(request, "account.people") if member.user_id != identity.user_id else go(request, "dashboard")


@post("/account/people/{member_id:uuid}/remove", name="account.people.remove", status_code=200)
async def remove(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    member_id: FromPath[UUID],
) -> Response[bytes]:
    member = await queries.get_member(identity.customer, member_id)
    try:
        await members.remove(identity, member_id, messages=ports.messages)
    except LastOwner as problem:
        form = Form.empty(role=member.role.value)
        form.reject(None, problem)
        return await _member_page(request, identity, member, form, status=422)
    return go(request, "account.people") if member.user_id != identity.user_id else go(request, "dashboard")


@get("/account/invitation", name="account.invitation")
async def show_invitation(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    if moved := links.moved(request, "account.invitation"):
        return moved
    invitation = await invitations.look_at(links.token_of(request))
    return _invitation_page(request, invitation, settings, Form.empty("name", "new_password"))


@post("/account/invitation", name="account.invitation.accept", status_code=200)
async def accept(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    ctx, token = context_of(request), links.token_of(request)
    form = await Form.read(request, "name", "new_password")
    invitation = await invitations.look_at(token)
    if ctx.identity is not None:
        await invitations.accept(ctx.identity, token, messages=ports.messages)
        links.used(request)
        return go(request, "dashboard")
    name, password, rules = form.text("name", most=100), form["new_password"], Policy.of(settings)
    try:
        if name is None:
            # What is wrong with the password is told at the same time.
            rules.check(password, email=invitation.email, name="")
        else:
            await invitations.join(
                token, name, password, ctx.origin, passwords=passwords, messages=ports.messages, rules=rules
            )
    except Weak as weak:
        form.reject("new_password", weak)
    if not form:
        return _invitation_page(request, invitation, settings, form, status=422)
    links.used(request)
    return page(request, "account/people/joined", customer=invitation.scope.customer_name)


@get("/account/switch", name="account.switch")
async def show_switch(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(
        request,
        "account/people/switch",
        customers=await queries.list_customers(identity),
        role_name=role_name,
        target=safe_next(request.query_params.get("next"), ""),
    )


@post("/account/switch", name="account.switch_to", status_code=200)
async def switch(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = await Form.read(request, "customer", "next")
    customer_id = form.uuid("customer")
    if customer_id is None:
        return go(request, "account.switch")
    await invitations.switch(identity, customer_id)
    return go_to(request, safe_next(form["next"], context_of(request).url("dashboard")))


async def _role_and_lines(form: Form, identity: Identity) -> tuple[Role | None, list[UUID] | None]:
    """Lines count for line users alone, and only lines that are the customer's own."""
    chosen = form.choice("role", [role.value for role in Role])
    role = Role(chosen) if chosen else None
    if role is not Role.USER:
        return role, None
    known = {str(line.id): line.id for line in await services.list_names(identity.customer, MOST_LINES)}
    if not form.several["lines"] or not all(line in known for line in form.several["lines"]):
        form.reject("lines", _("Choose at least one line that this person uses."))
        return role, None
    return role, [known[line] for line in form.several["lines"]]


async def _invite_page(
    request: Request[Any, Any, Any], identity: Identity, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "account/people/invite",
        fragment="account/people/_invite",
        status=status,
        form=form,
        lines=await services.list_names(identity.customer, MOST_LINES),
    )


async def _member_page(
    request: Request[Any, Any, Any], identity: Identity, member: queries.Member, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "account/people/show",
        fragment="account/people/_show",
        status=status,
        form=form,
        member=member,
        lines=await services.list_names(identity.customer, MOST_LINES),
    )


def _invitation_page(
    request: Request[Any, Any, Any], invitation: Open, settings: Settings, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "account/people/invitation",
        fragment="account/people/_invitation",
        status=status,
        form=form,
        invitation=invitation,
        role=role_name(invitation.role.value),
        rules=Policy.of(settings).rules,
    )


router = Router(
    "/",
    route_handlers=[
        show,
        show_invite,
        invite,
        withdraw,
        show_member,
        change,
        remove,
        show_invitation,
        accept,
        show_switch,
        switch,
    ],
)
