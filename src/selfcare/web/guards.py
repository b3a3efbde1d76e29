"""The one guard of the application: reads the permission table before anything else of a request is looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from litestar import Litestar, Request
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.routes import HTTPRoute

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity import grants, kept, sessions
from selfcare.identity.identity import Identity
from selfcare.identity.permissions import LOOK, STOP, Access, Who, access_to, answers_on
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed, NotFound
from selfcare.kernel.words import _
from selfcare.web import csrf
from selfcare.web.context import RequestContext, context_of
from selfcare.web.errors import NeedsProof, NeedsSecondStep, NeedsSignIn, OutOfDate, Strange, VisitOver
from selfcare.web.forms import keepable

SAFE = frozenset({"GET", "HEAD"})


async def gatekeeper(connection: Request[Any, Any, Any]) -> None:
    """Deny by default: no row in the table, no page. Foreign and forbidden data look the same: not found.

    Asked before the request, and not as a guard, because for guards the framework copies the handler every time.
    """
    ctx = context_of(connection)
    handler = connection.scope["route_handler"]
    ctx.route = handler.name
    if ctx.visit_over is not None:
        raise VisitOver
    if ctx.refused is not None:
        raise HTTPException(status_code=ctx.refused)
    access = access_to(handler.name)
    if access is None or (access.flag and access.flag not in ctx.site.flags):
        raise NotFound
    if not answers_on(ctx.site.serves, handler.name or "", access, visiting=bool(ctx.prefix)):
        raise NotFound
    method = connection.scope.get("method", "GET")
    unsafe = method not in SAFE
    if access.csrf and unsafe:
        _check_same_site(connection, ctx)
    try:
        _check_person(access, ctx.identity, unsafe=unsafe)
    except NeedsSignIn:
        if unsafe and ctx.expired_user_id is not None:
            await _keep_form(connection, ctx, ctx.expired_user_id)
        raise
    except (NotFound, NotAllowed):
        await _write_down_refusal(access, ctx)
        raise
    if access.csrf and unsafe:
        _check_token(ctx)
    if ctx.identity is None:
        return
    now = clock.now()
    # A visit begins in a console that has asked already; the customer's own second step is the customer's.
    free = access.before_second_step or access.who is Who.ANYBODY or ctx.identity.is_impersonating
    if not free and ctx.site.requirement.stops(ctx.identity, now):
        raise NeedsSecondStep
    if access.step_up and not ctx.identity.recently_proved(now):
        if unsafe:
            await _keep_form(connection, ctx, ctx.identity.actor_id)
        raise NeedsProof
    if not access.poll:
        await _keep_awake(ctx, ctx.identity, now, looks=not unsafe)


def left_alone(app: Litestar) -> list[str]:
    """Paths that the gatekeeper does not stand before. There must be none."""
    return [
        route.path
        for route in app.routes
        if not isinstance(route, HTTPRoute)
        or any(handler.resolve_before_request() is not gatekeeper for handler in route.route_handlers)
    ]


def may(access: Access, identity: Identity | None, *, unsafe: bool) -> bool:
    """One cell of the table: may this person use this route at all? (Step-up and CSRF come on top.)"""
    try:
        _check_person(access, identity, unsafe=unsafe)
    except (NeedsSignIn, NotFound, NotAllowed):
        return False
    return True


def _check_person(access: Access, identity: Identity | None, *, unsafe: bool) -> None:
    if identity is not None and identity.grant is not None:
        _check_impersonator(access, identity, unsafe=unsafe)
    if access.who in (Who.ANYBODY, Who.MACHINE):
        return
    if identity is None:
        raise NeedsSignIn
    if access.who is Who.STAFF and (not identity.is_staff or identity.is_impersonating):
        raise NotFound
    if access.who is Who.CUSTOMER and identity.scope is None:
        raise NotFound
    if access.right is not None and not identity.can(access.right):
        if unsafe:
            raise NotAllowed(_("Your role does not allow this. Ask the owner of the account."))
        raise NotFound


def _check_impersonator(access: Access, identity: Identity, *, unsafe: bool) -> None:
    """Look at what the customer sees; press only Stop and what the grant names."""
    named = identity.grant is not None and access.acting in identity.grant.allowed
    if access.acting != LOOK if not unsafe else not (named or access.acting == STOP):
        raise NotAllowed(_("Only the customer can do this."))


async def _write_down_refusal(access: Access, ctx: RequestContext) -> None:
    """What staff were refused, by the console or inside a visit."""
    who, route = ctx.identity, ctx.route or ""
    if who is None or not (who.is_impersonating or (who.is_staff and access.who is Who.STAFF)):
        return
    async with transaction():
        if who.is_impersonating:
            await audit.record(who, Event.AS_REFUSED, outcome="refused", why="customer_only", route=route)
        else:
            right = access.right.value if access.right else None
            await audit.record(who, Event.SIGN_IN_DENIED, outcome="refused", route=route, right=right)


def _check_same_site(connection: ASGIConnection, ctx: RequestContext) -> None:  # type: ignore[type-arg]
    if not csrf.same_site(connection.headers, ctx.site.settings.public_url):
        raise Strange


def _check_token(ctx: RequestContext) -> None:
    grant = str(ctx.identity.grant_id or "") if ctx.identity else ""
    typed = dict(ctx.form or ())
    if not csrf.matches(typed.get("csrf"), ctx.site.settings.keys.csrf, ctx.binding, grant):
        raise OutOfDate


async def ask_for_proof(request: ASGIConnection) -> NoReturn:  # type: ignore[type-arg]
    """For a handler that finds out by itself: the form is kept and offered again when the person has proved it."""
    ctx = context_of(request)
    if ctx.identity is not None:
        await _keep_form(request, ctx, ctx.identity.actor_id)
    raise NeedsProof


async def _keep_form(connection: ASGIConnection, ctx: RequestContext, user_id: UUID) -> None:  # type: ignore[type-arg]
    fields = keepable(ctx.form or [])
    if fields:
        async with transaction():
            await kept.keep(user_id, ctx.prefix + connection.scope["path"], fields)


async def _keep_awake(ctx: RequestContext, identity: Identity, now: datetime, *, looks: bool) -> None:
    """Somebody is there. What support looks at is written down before it is shown."""
    awake = isinstance(ctx.last_seen_at, datetime) and now - ctx.last_seen_at >= sessions.SEEN_EVERY
    visited = ctx.visit_seen_at is not None and now - ctx.visit_seen_at >= grants.SEEN_EVERY
    told = identity.grant is not None and looks and _is_a_page(ctx.route)
    if not (awake or visited or told):
        return
    async with transaction():
        if awake:
            await sessions.touch(identity.session_id, now=now)
        if visited and identity.grant is not None:
            await grants.touch(identity.grant.id, now=now)
        if told:
            await audit.record(identity, Event.AS_LOOKED, route=ctx.route or "")


def _is_a_page(route: str | None) -> bool:
    """The two addresses that only the script asks show nothing."""
    return route not in ("sign_in.alive", "sign_in.stay")
