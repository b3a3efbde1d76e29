"""Handlers of /sign-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.db.engine import transaction
from selfcare.identity import kept, sessions
from selfcare.identity.identity import Identity
from selfcare.identity.passwords import Passwords
from selfcare.portal.sign_in import sign_ins
from selfcare.portal.sign_in.sign_ins import NotSignedIn
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, go_to, page
from selfcare.web.urls import safe_next


@get("/sign-in", name="sign_in")
async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
    ctx = context_of(request)
    target = safe_next(request.query_params.get("next"), "")
    if ctx.identity is not None:
        return go_to(request, target or home_of(staff=ctx.identity.is_staff))
    expired = ctx.expired_user_id is not None
    return page(request, "sign_in/index", form=Form.empty("email", "password", next=target), expired=expired)


@post("/sign-in", name="sign_in.enter", status_code=200)
async def enter(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], passwords: NamedDependency[Passwords]
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "email", "password", "next", "shared_device")
    try:
        entered = await sign_ins.enter(
            form["email"],
            form["password"],
            ctx.origin,
            passwords=passwords,
            limits=limits_of(settings),
            shared_device=form.flag("shared_device"),
            replaces=ctx.identity.session_id if ctx.identity else None,
        )
    except NotSignedIn as problem:
        form.reject(problem.field, problem)
        return page(request, "sign_in/index", fragment="sign_in/_form", status=422, form=form, expired=False)
    ctx.cookies.append(ctx.site.cookies.set(ctx.site.cookies.session, entered.token))
    ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.visitor))
    if await kept.find(entered.user_id):
        return go(request, "sign_in.kept")
    return go_to(request, safe_next(form["next"], home_of(staff=entered.staff)))


@get("/sign-in/kept", name="sign_in.kept")
async def show_kept(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    """The form that was typed when the sign-in ran out, to be sent by the person again, never by itself."""
    form = await kept.find(identity.actor_id)
    if form is None:
        return go_to(request, "/")
    async with transaction():
        await kept.forget(identity.actor_id)
    return page(request, "sign_in/kept", path=safe_next(form["path"]), fields=form["fields"])


@post("/sign-in/out", name="sign_in.out", status_code=200)
async def leave(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    ctx = context_of(request)
    await sign_ins.leave(identity)
    ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.session))
    answer = go(request, "sign_in")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


@get("/sign-in/alive", name="sign_in.alive")
async def alive() -> Response[bytes]:
    """Asked by a page that came back from the browser's memory: 204 while the sign-in lives."""
    return Response(b"", status_code=204, headers={"Cache-Control": "no-store"})


def home_of(*, staff: bool) -> str:
    """Where people land who did not say where to."""
    return "/staff" if staff else "/"


def limits_of(settings: Settings) -> sessions.Limits:
    return sessions.Limits(
        idle=timedelta(minutes=settings.session_idle_minutes), absolute=timedelta(hours=settings.session_absolute_hours)
    )


router = Router("/", route_handlers=[show, enter, show_kept, leave, alive])
