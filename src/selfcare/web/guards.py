"""The one guard of the application: reads the permission table before anything else of a request is looked at."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.handlers import BaseRouteHandler

from selfcare.db.engine import transaction
from selfcare.identity import kept, sessions
from selfcare.identity.identity import Identity
from selfcare.identity.permissions import LOOK, Access, Who, access_to
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed, NotFound
from selfcare.kernel.words import _
from selfcare.web import csrf
from selfcare.web.context import RequestContext, context_of
from selfcare.web.errors import NeedsProof, NeedsSecondStep, NeedsSignIn, OutOfDate, Strange
from selfcare.web.forms import keepable

SAFE = frozenset({"GET", "HEAD"})


async def gatekeeper(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Deny by default: no row in the table, no page. Foreign and forbidden data look the same: not found."""
    ctx = context_of(connection)
    ctx.route = handler.name
    if ctx.refused is not None:
        raise HTTPException(status_code=ctx.refused)
    access = access_to(handler.name)
    if access is None or (access.flag and access.flag not in ctx.site.flags):
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
    if access.csrf and unsafe:
        _check_token(ctx)
    if ctx.identity is None:
        return
    now = clock.now()
    if not (access.before_second_step or access.who is Who.ANYBODY) and ctx.site.requirement.stops(ctx.identity, now):
        raise NeedsSecondStep
    if access.step_up and not ctx.identity.recently_proved(now):
        if unsafe:
            await _keep_form(connection, ctx, ctx.identity.actor_id)
        raise NeedsProof
    if not access.poll:
        await _keep_awake(ctx, ctx.identity, now)


def may(access: Access, identity: Identity | None, *, unsafe: bool) -> bool:
    """One cell of the table: may this person use this route at all? (Step-up and CSRF come on top.)"""
    try:
        _check_person(access, identity, unsafe=unsafe)
    except (NeedsSignIn, NotFound, NotAllowed):
        return False
    return True


def _check_person(access: Access, identity: Identity | None, *, unsafe: bool) -> None:
    if access.who in (Who.ANYBODY, Who.MACHINE):
        return
    if identity is None:
        raise NeedsSignIn
    if identity.grant is not None:
        _check_impersonator(access, identity, unsafe=unsafe)
    if access.who is Who.STAFF and (not identity.is_staff or identity.is_impersonating):
        raise NotFound
    if access.who is Who.CUSTOMER and identity.scope is None:
        raise NotFound
    if access.right is not None and not identity.can(access.right):
        if unsafe:
            raise NotAllowed(_("Your role does not allow this. Ask the owner of the account."))
        raise NotFound


def _check_impersonator(access: Access, identity: Identity, *, unsafe: bool) -> None:
    allowed = (
        access.acting == LOOK if not unsafe else identity.grant is not None and access.acting in identity.grant.allowed
    )
    if not allowed:
        raise NotAllowed(_("Only the customer can do this."))


def _check_same_site(connection: ASGIConnection, ctx: RequestContext) -> None:  # type: ignore[type-arg]
    if not csrf.same_site(connection.headers, ctx.site.settings.public_url):
        raise Strange


def _check_token(ctx: RequestContext) -> None:
    grant = str(ctx.identity.grant_id or "") if ctx.identity else ""
    typed = dict(ctx.form or ())
    if not csrf.matches(typed.get("csrf"), ctx.site.settings.keys.csrf, ctx.binding, grant):
        raise OutOfDate


async def _keep_form(connection: ASGIConnection, ctx: RequestContext, user_id: UUID) -> None:  # type: ignore[type-arg]
    fields = keepable(ctx.form or [])
    if fields:
        async with transaction():
            await kept.keep(user_id, ctx.prefix + connection.scope["path"], fields)


async def _keep_awake(ctx: RequestContext, identity: Identity, now: datetime) -> None:
    if isinstance(ctx.last_seen_at, datetime) and now - ctx.last_seen_at >= sessions.SEEN_EVERY:
        async with transaction():
            await sessions.touch(identity.session_id, now=now)
