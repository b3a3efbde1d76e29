"""Handlers of /sign-up."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy, Weak
from selfcare.identity.text_codes import CODE_LASTS, StartAgain, WrongCode
from selfcare.portal.sign_up import sign_ups
from selfcare.portal.sign_up.sign_ups import Open
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web import links
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page

STEP_SECONDS = int(CODE_LASTS.total_seconds())


@get("/sign-up", name="sign_up")
async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "sign_up/index")


@get("/sign-up/number", name="sign_up.number")
async def show_number(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "sign_up/number", form=Form.empty("phone", "email"))


@post("/sign-up/number", name="sign_up.ask_code", status_code=200)
async def ask_code(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "phone", "email")
    phone, email = form.phone("phone", region=settings.region), form.email()
    if phone is None or email is None:
        return page(request, "sign_up/number", fragment="sign_up/_number", status=422, form=form)
    ticket = await sign_ups.ask_code(email, phone, ctx.origin, jobs=ports.jobs)
    ctx.cookies.append(ctx.site.cookies.set(ctx.site.cookies.step, ticket, max_age=STEP_SECONDS))
    return go(request, "sign_up.code")


@get("/sign-up/code", name="sign_up.code")
async def show_code(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "sign_up/code", form=Form.empty("code"))


@post("/sign-up/code", name="sign_up.answer", status_code=200)
async def answer(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "code")
    ticket = request.cookies.get(ctx.site.cookies.step, "")
    try:
        email = await sign_ups.answer(ticket, form["code"], ctx.origin, key=settings.keys.link, messages=ports.messages)
    except (WrongCode, StartAgain) as problem:
        form.reject(problem.field, problem)
        return page(request, "sign_up/code", fragment="sign_up/_code", status=422, form=form)
    ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.step))
    return page(request, "sign_up/sent", email=email)


@get("/sign-up/new", name="sign_up.new")
async def show_new(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "sign_up/new", form=Form.empty("email"))


@post("/sign-up/new", name="sign_up.ask_link", status_code=200)
async def ask_link(request: Request[Any, Any, Any], ports: NamedDependency[Ports]) -> Response[bytes]:
    form = await Form.read(request, "email")
    email = form.email()
    if email is None:
        return page(request, "sign_up/new", fragment="sign_up/_new", status=422, form=form)
    await sign_ups.ask_link(email, context_of(request).origin, messages=ports.messages)
    return page(request, "sign_up/sent", email=email)


@get("/sign-up/finish", name="sign_up.finish")
async def show_finish(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    if moved := links.moved(request, "sign_up.finish"):
        return moved
    link = await sign_ups.look_at(links.token_of(request))
    return _finish_page(request, link, settings, Form.empty("name", "new_password"))


@post("/sign-up/finish", name="sign_up.done", status_code=200)
async def finish(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "name", "new_password")
    link = await sign_ups.look_at(links.token_of(request))
    if ctx.identity is not None:
        await sign_ups.accept(ctx.identity, link, messages=ports.messages, settings=settings)
        links.used(request)
        return go(request, "dashboard")
    name, password = form.text("name", most=100), form["new_password"]
    try:
        if name is None:
            # What is wrong with the password is told at the same time.
            Policy.of(settings).check(password, email=link.email, name="")
        else:
            await sign_ups.finish(
                link, name, password, ctx.origin, passwords=passwords, messages=ports.messages, settings=settings
            )
    except Weak as weak:
        form.reject("new_password", weak)
    if not form:
        return _finish_page(request, link, settings, form, status=422)
    links.used(request)
    return page(request, "sign_up/done")


def _finish_page(
    request: Request[Any, Any, Any], link: Open, settings: Settings, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "sign_up/finish",
        fragment="sign_up/_finish",
        status=status,
        form=form,
        link=link,
        rules=Policy.of(settings).rules,
    )


router = Router(
    "/",
    route_handlers=[show, show_number, ask_code, show_code, answer, show_new, ask_link, show_finish, finish],
)
