"""Handlers of /sign-in/forgot, /sign-in/reset and /sign-in/not-me."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy, Weak
from selfcare.portal.sign_in.recovery import recoveries
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web import links
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import page


@get("/sign-in/forgot", name="sign_in.forgot")
async def show_forgot(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "sign_in/forgot", form=Form.empty("email"))


@post("/sign-in/forgot", name="sign_in.ask_reset", status_code=200)
async def ask_reset(request: Request[Any, Any, Any], ports: NamedDependency[Ports]) -> Response[bytes]:
    form = await Form.read(request, "email")
    if form.email() is None:
        return page(request, "sign_in/forgot", fragment="sign_in/_forgot", status=422, form=form)
    await recoveries.ask_reset(form["email"], context_of(request).origin, jobs=ports.jobs)
    return page(request, "sign_in/sent", email=form["email"])


@get("/sign-in/reset", name="sign_in.reset")
async def show_reset(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    if moved := links.moved(request, "sign_in.reset"):
        return moved
    await recoveries.owner_of(links.token_of(request))
    return page(request, "sign_in/reset", form=Form.empty("new_password"), rules=Policy.of(settings).rules)


@post("/sign-in/reset", name="sign_in.set_password", status_code=200)
async def set_password(
    request: Request[Any, Any, Any],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "new_password")
    rules = Policy.of(settings)
    try:
        await recoveries.reset(
            links.token_of(request),
            form["new_password"],
            ctx.origin,
            passwords=passwords,
            messages=ports.messages,
            rules=rules,
        )
    except Weak as weak:
        form.reject("new_password", weak)
        return page(request, "sign_in/reset", fragment="sign_in/_reset", status=422, form=form, rules=rules.rules)
    links.used(request)
    ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.remember))
    return page(request, "sign_in/changed")


@get("/sign-in/not-me", name="sign_in.not_me")
async def show_not_me(request: Request[Any, Any, Any]) -> Response[bytes]:
    return links.moved(request, "sign_in.not_me") or page(request, "sign_in/not_me")


@post("/sign-in/not-me", name="sign_in.disown", status_code=200)
async def disown(request: Request[Any, Any, Any], ports: NamedDependency[Ports]) -> Response[bytes]:
    await Form.read(request)
    await recoveries.disown(links.token_of(request), context_of(request).origin, jobs=ports.jobs)
    links.used(request)
    return page(request, "sign_in/disowned")


@get("/sign-in/second-step", name="sign_in.second_step")
async def show_second_step(request: Request[Any, Any, Any]) -> Response[bytes]:
    if moved := links.moved(request, "sign_in.second_step"):
        return moved
    await recoveries.holder_of(links.token_of(request))
    return page(request, "sign_in/second_step")


@post("/sign-in/second-step", name="sign_in.drop_second_step", status_code=200)
async def drop_second_step(request: Request[Any, Any, Any], ports: NamedDependency[Ports]) -> Response[bytes]:
    await Form.read(request)
    ctx = context_of(request)
    await recoveries.drop_second_step(links.token_of(request), ctx.origin, messages=ports.messages)
    links.used(request)
    return page(request, "sign_in/second_step_dropped")


router = Router(
    "/",
    route_handlers=[
        show_forgot,
        ask_reset,
        show_reset,
        set_password,
        show_not_me,
        disown,
        show_second_step,
        drop_second_step,
    ],
)
