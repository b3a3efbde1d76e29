"""Handlers of /sign-in/prove."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity import kept
from selfcare.identity.identity import Identity
from selfcare.identity.passkeys import Place
from selfcare.identity.passwords import Passwords
from selfcare.portal.sign_in import challenges
from selfcare.portal.sign_in.proof import proofs
from selfcare.portal.sign_in.proof.proofs import NotProved, SignInEnded
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, go_to, page
from selfcare.web.urls import safe_next


@get("/sign-in/prove", name="sign_in.prove")
async def show_prove(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    target = safe_next(request.query_params.get("next"))
    return await _prove_page(request, settings, identity, Form.empty("password", "code", next=target))


@post("/sign-in/prove", name="sign_in.confirm", status_code=200)
async def prove(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
    passwords: NamedDependency[Passwords],
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "password", "code", "next")
    try:
        if form["code"]:
            token = await proofs.prove_by_code(identity, form["code"], settings.totp_keys)
        else:
            token = await proofs.prove_by_password(identity, form["password"], passwords=passwords)
    except SignInEnded:
        ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.session))
        return go(request, "sign_in")
    except NotProved as problem:
        form.reject(problem.field, problem)
        return await _prove_page(request, settings, identity, form, status=422)
    ctx.cookies.append(ctx.site.cookies.set(ctx.site.cookies.session, token))
    return await _back(request, identity, form["next"])


@post("/sign-in/prove/passkey", name="sign_in.confirm_by_passkey", status_code=200)
async def prove_by_passkey(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "passkey", "password", "code", "next")
    try:
        token = await proofs.prove_by_passkey(identity, form["passkey"], place=Place.of(settings))
    except SignInEnded:
        ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.session))
        return go(request, "sign_in")
    except NotProved as problem:
        form.reject(problem.field, problem)
        return await _prove_page(request, settings, identity, form, status=422)
    ctx.cookies.append(ctx.site.cookies.set(ctx.site.cookies.session, token))
    return await _back(request, identity, form["next"])


async def _back(request: Request[Any, Any, Any], identity: Identity, target: str) -> Response[bytes]:
    """Back to where the proof was asked for; a form that was typed there is offered again."""
    if await kept.find(identity.actor_id):
        return go(request, "sign_in.kept")
    return go_to(request, safe_next(target))


async def _prove_page(
    request: Request[Any, Any, Any], settings: Settings, identity: Identity, form: Form, *, status: int = 200
) -> Response[bytes]:
    factors = await challenges.second_factors(identity.actor_id)
    options = await proofs.ask_passkey(identity, place=Place.of(settings)) if factors.passkeys else ""
    return page(
        request,
        "sign_in/prove",
        fragment="sign_in/_prove",
        status=status,
        form=form,
        factors=factors,
        passkey_options=options,
    )


router = Router("/", route_handlers=[show_prove, prove, prove_by_passkey])
