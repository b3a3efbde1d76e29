"""Handlers of /account/security and /account/password."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity import totp
from selfcare.identity.identity import Identity
from selfcare.identity.limits import Locked
from selfcare.identity.passkeys import LONGEST_NAME, Place
from selfcare.identity.passwords import Passwords
from selfcare.identity.policy import Policy, Weak
from selfcare.kernel import clock
from selfcare.kernel.words import _
from selfcare.portal.account.security import passkeys, queries, second_steps
from selfcare.portal.account.security import passwords as own_password
from selfcare.portal.account.security.passkeys import LastWayIn, NotAdded
from selfcare.portal.account.security.passwords import WrongCurrent
from selfcare.portal.account.security.second_steps import NotAccepted, SetUp, StartAgain
from selfcare.portal.help import tips
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page
from selfcare.web.urls import safe_next


@get("/account/security", name="account.security")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    security = await queries.overview(identity.actor_id)
    tip = await tips.find(identity, "security", but=() if security.app_on else ("backup_codes",))
    return page(request, "account/security/index", security=security, tip=tip)


@get("/account/security/required", name="account.security.required")
async def show_required(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    ctx = context_of(request)
    deadline = ctx.site.requirement.deadline(identity)
    if deadline is None:
        return go(request, "account.security")
    later = safe_next(request.query_params.get("next")) if deadline > clock.now() else ""
    return page(request, "account/security/required", deadline=deadline, later=later)


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
    except StartAgain as again:
        fresh = second_steps.begin(identity, settings.totp_keys)
        form = Form.empty("code", ticket=fresh.ticket)
        form.reject("code", again)
        return _set_up_page(request, identity, settings, fresh, form, status=422)
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
    if not await passkeys.second_step_on(identity.actor_id):
        return go(request, "account.security")
    return _codes_page(request, await second_steps.renew_codes(identity, passwords=passwords, messages=ports.messages))


@get("/account/security/passkeys/new", name="account.security.passkeys.new")
async def show_new_passkey(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    return await _new_passkey_page(request, identity, settings, Form.empty(name=_("My passkey")))


@post("/account/security/passkeys", name="account.security.passkeys.add", status_code=200)
async def add_passkey(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "name", "passkey")
    name = form.text("name", most=LONGEST_NAME)
    codes: list[str] = []
    if name is not None:
        try:
            codes = await passkeys.add(
                identity,
                form["passkey"],
                name,
                place=Place.of(settings),
                passwords=passwords,
                messages=ports.messages,
            )
        except NotAdded as problem:
            form.reject(None, problem)
    if not form:
        return await _new_passkey_page(request, identity, settings, form, status=422)
    return _codes_page(request, codes) if codes else go(request, "account.security")


@get("/account/security/passkeys/{passkey_id:uuid}", name="account.security.passkeys.show")
async def show_passkey(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], passkey_id: FromPath[UUID]
) -> Response[bytes]:
    passkey = await queries.passkey(identity.actor_id, passkey_id)
    return page(request, "account/security/passkey", form=Form.empty(name=passkey.name), passkey=passkey)


@post("/account/security/passkeys/{passkey_id:uuid}", name="account.security.passkeys.rename", status_code=200)
async def rename_passkey(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], passkey_id: FromPath[UUID]
) -> Response[bytes]:
    form = await Form.read(request, "name")
    passkey = await queries.passkey(identity.actor_id, passkey_id)
    name = form.text("name", most=LONGEST_NAME)
    if name is None:
        return _passkey_page(request, passkey, form)
    await passkeys.rename(identity, passkey_id, name)
    return go(request, "account.security")


@post("/account/security/passkeys/{passkey_id:uuid}/remove", name="account.security.passkeys.remove", status_code=200)
async def remove_passkey(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    passkey_id: FromPath[UUID],
) -> Response[bytes]:
    form = await Form.read(request, "name")
    passkey = await queries.passkey(identity.actor_id, passkey_id)
    form.values["name"] = passkey.name
    try:
        await passkeys.remove(identity, passkey_id, messages=ports.messages)
    except LastWayIn as problem:
        form.reject(None, problem)
        return _passkey_page(request, passkey, form)
    return go(request, "account.security")


@get("/account/password", name="account.password")
async def show_password(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    form = Form.empty("current_password", "new_password")
    return page(request, "account/security/password", form=form, rules=Policy.of(settings).rules)


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
    rules = Policy.of(settings)
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
    return go(request, "account.security")


async def _new_passkey_page(
    request: Request[Any, Any, Any], identity: Identity, settings: Settings, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "account/security/new_passkey",
        fragment="account/security/_new_passkey",
        status=status,
        form=form,
        options=await passkeys.begin(identity, place=Place.of(settings)),
    )


def _passkey_page(request: Request[Any, Any, Any], passkey: queries.PasskeyRow, form: Form) -> Response[bytes]:
    return page(
        request,
        "account/security/passkey",
        fragment="account/security/_passkey",
        status=422,
        form=form,
        passkey=passkey,
    )


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
    return page(request, "account/security/codes", codes=shown)


router = Router(
    "/",
    route_handlers=[
        show,
        show_required,
        show_set_up,
        turn_on,
        show_turn_off,
        turn_off,
        renew_codes,
        show_new_passkey,
        add_passkey,
        show_passkey,
        rename_passkey,
        remove_passkey,
        show_password,
        change_password,
    ],
)
