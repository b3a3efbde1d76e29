"""Handlers of /account/name, /account/phone and /account/email."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.identity.tokens import Purpose
from selfcare.kernel.errors import Rejected
from selfcare.portal.account import queries
from selfcare.portal.account.details import details
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web import links
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/account/name", name="account.name")
async def show_name(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = Form.empty(name=identity.user.name)
    return page(request, "account/details/name", fragment="account/details/_name", form=form)


@post("/account/name", name="account.change_name", status_code=200)
async def change_name(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = await Form.read(request, "name")
    name = form.text("name", most=100)
    if name is None:
        return page(request, "account/details/name", fragment="account/details/_name", status=422, form=form)
    await details.change_name(identity, name)
    return go(request, "account")


@get("/account/phone", name="account.phone")
async def show_phone(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    person = (await queries.overview(identity)).person
    form = Form.empty(phone=person.phone or "")
    return page(request, "account/details/phone", fragment="account/details/_phone", form=form)


@post("/account/phone", name="account.change_phone", status_code=200)
async def change_phone(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "phone")
    phone = form.phone("phone", region=settings.region) if form["phone"].strip() else None
    if not form:
        return page(request, "account/details/phone", fragment="account/details/_phone", status=422, form=form)
    await details.change_phone(identity, phone, messages=ports.messages)
    return go(request, "account")


@get("/account/email", name="account.email")
async def show_email(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "account/details/email", form=Form.empty("email"))


@post("/account/email", name="account.change_email", status_code=200)
async def change_email(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    form = await Form.read(request, "email")
    address = form.email()
    if address is not None:
        try:
            await details.ask_email_change(identity, address, messages=ports.messages)
        except Rejected as problem:
            form.reject(problem.field, problem)
    if not form:
        return page(request, "account/details/email", fragment="account/details/_email", status=422, form=form)
    return page(request, "account/details/sent", address=address)


@get("/account/email/confirm", name="account.email.confirm")
async def show_confirm(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _link_page(request, Purpose.VERIFY_EMAIL, "account.email.confirm", "account/details/confirm")


@post("/account/email/confirm", name="account.email.confirmed", status_code=200)
async def confirm(request: Request[Any, Any, Any]) -> Response[bytes]:
    await Form.read(request)
    address = await details.confirm_email(links.token_of(request), context_of(request).origin)
    links.used(request)
    return page(request, "account/details/confirmed", address=address)


@get("/account/email/cancel", name="account.email.cancel")
async def show_cancel(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _link_page(request, Purpose.CANCEL_EMAIL, "account.email.cancel", "account/details/cancel")


@post("/account/email/cancel", name="account.email.cancelled", status_code=200)
async def cancel(request: Request[Any, Any, Any]) -> Response[bytes]:
    await Form.read(request)
    await details.cancel_email(links.token_of(request), context_of(request).origin)
    links.used(request)
    return page(request, "account/details/cancelled")


async def _link_page(request: Request[Any, Any, Any], purpose: Purpose, route: str, template: str) -> Response[bytes]:
    if moved := links.moved(request, route):
        return moved
    found = await details.look_at(links.token_of(request), purpose)
    return page(request, template, address=found.address)


router = Router(
    "/",
    route_handlers=[
        show_name,
        change_name,
        show_phone,
        change_phone,
        show_email,
        change_email,
        show_confirm,
        confirm,
        show_cancel,
        cancel,
    ],
)
