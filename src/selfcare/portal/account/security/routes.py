"""Handlers of /account/security and /account/password."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity import totp
from selfcare.identity.identity import Identity
from selfcare.identity.limits import Locked
from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy, Weak
from selfcare.portal.account.security import passwords as own_password
from selfcare.portal.account.security import queries, second_steps
from selfcare.portal.account.security.passwords import WrongCurrent
from selfcare.portal.account.security.second_steps import NotAccepted, SetUp
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/account/security", name="account.security")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "account/security/index", security=await queries.overview(identity.actor_id))


@get("/account/security/app", name="account.security.app")
async def show_set_up(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    if await totp.is_on(identity.actor_id):
        return go(request, "account.security")
    set_up = second_steps.begin(identity, settings.totp_keys)
    return _set_up_page(request, identity, settings, set_up, Form.empty("code", ticket=set_up.ticket))


@post("/account/security/app", name="account.security.turn_on", status_code=200)
async def turn_on(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "code", "ticket")
    set_up = second_steps.resume(identity, form["ticket"], settings.totp_keys)
    if set_up is None or await totp.is_on(identity.actor_id):
        return go(request, "account.security")
    try:
        codes = await second_steps.turn_on(
            identity, set_up, form["code"], settings.totp_keys, passwords=passwords, messages=ports.messages
        )
    except NotAccepted as problem:
        form.reject("code", problem)
        return _set_up_page(request, identity, settings, set_up, form, status=422)
    return _codes_page(request, codes)


@get("/account/security/off", name="account.security.off")
async def show_turn_off(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    if not await totp.is_on(identity.actor_id):
        return go(request, "account.security")
    return page(request, "account/security/off", form=Form.empty("code"))


@post("/account/security/off", name="account.security.turn_off", status_code=200)
async def turn_off(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "code")
    try:
        await second_steps.turn_off(
            identity, form["code"], settings.totp_keys, passwords=passwords, messages=ports.messages
        )
    except NotAccepted as problem:
        form.reject("code", problem)
        return page(request, "account/security/off", fragment="account/security/_off", status=422, form=form)
    return go(request, "account.security")


@post("/account/security/codes", name="account.security.renew_codes", status_code=200)
async def renew_codes(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    await Form.read(request)
    if not await totp.is_on(identity.actor_id):
        return go(request, "account.security")
    return _codes_page(request, await second_steps.renew_codes(identity, passwords=passwords, messages=ports.messages))


@get("/account/password", name="account.password")
async def show_password(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    form = Form.empty("current_password", "new_password")
    return page(request, "account/security/password", form=form, rules=_rules(settings).rules)


@post("/account/password", name="account.change_password", status_code=200)
async def change_password(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "current_password", "new_password")
    rules = _rules(settings)
    try:
        token = await own_password.change(
            identity,
            form["current_password"],
            form["new_password"],
            passwords=passwords,
            messages=ports.messages,
            rules=rules,
        )
    except (WrongCurrent, Weak) as problem:
        form.reject(problem.field, problem)
    except Locked as locked:
        form.reject("current_password", locked.message)
    if not form:
        return page(
            request,
            "account/security/password",
            fragment="account/security/_password",
            status=422,
            form=form,
            rules=rules.rules,
        )
    ctx.cookies.append(ctx.site.cookies.set(ctx.site.cookies.session, token))
    return go(request, "account.security", changed="password")


def _rules(settings: Settings) -> Policy:
    return Policy(settings.password_policy, (settings.operator.name, settings.operator.portal))


def _set_up_page(
    request: Request[Any, Any, Any],
    identity: Identity,
    settings: Settings,
    set_up: SetUp,
    form: Form,
    *,
    status: int = 200,
) -> Response[bytes]:
    return page(
        request,
        "account/security/app",
        fragment="account/security/_app",
        status=status,
        form=form,
        rows=set_up.qr(email=identity.actor.email, issuer=settings.operator.name),
        typed_key=set_up.secret.spaced,
    )


def _codes_page(request: Request[Any, Any, Any], codes: list[str]) -> Response[bytes]:
    """Told once: this answer is kept nowhere."""
    shown = [totp.spaced_code(code) for code in codes]
    return page(request, "account/security/codes", fragment="account/security/_codes", codes=shown)


router = Router(
    "/",
    route_handlers=[show, show_set_up, turn_on, show_turn_off, turn_off, renew_codes, show_password, change_password],
)
