"""A whole page or a fragment, decided in one place. The only reader of the HX-… headers."""

from __future__ import annotations

import gzip
from functools import lru_cache
from gettext import NullTranslations
from typing import Any, NamedTuple

import brotli
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, Receive, Scope, Send

from selfcare.identity import grants
from selfcare.identity.permissions import may_look
from selfcare.identity.rights import Right, StaffRight
from selfcare.identity.sessions import Limits
from selfcare.kernel import clock, ids, words
from selfcare.kernel.words import _
from selfcare.web import csrf
from selfcare.web.assets import best_encoding
from selfcare.web.context import RequestContext, context_of
from selfcare.web.templating import headers_json
from selfcare.web.urls import Urls

HTML = "text/html"  # the framework adds the charset
VARY = "Cookie, HX-Request, HX-Request-Type, HX-History-Restore-Request, Accept-Encoding"
_WORTH_COMPRESSING = 600


def wants_fragment(connection: ASGIConnection[Any, Any, Any, Any]) -> bool:
    """htmx asks for a part: not a history restore, not boosted, not a full-page request."""
    headers = context_of(connection).headers
    return (
        headers.get(b"hx-request") == b"true"
        and headers.get(b"hx-history-restore-request") != b"true"
        and headers.get(b"hx-boosted") != b"true"
        and headers.get(b"hx-request-type") != b"full"
    )


def page(
    request: Request[Any, Any, Any],
    template: str,
    *,
    fragment: str | None = None,
    status: int = 200,
    event: str | None = None,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> Response[bytes]:
    """Render `fragment` for htmx where there is one, else the whole `template`, which then takes the page's place.

    `event` becomes HX-Trigger.
    """
    ctx = context_of(request)
    name = fragment if fragment is not None and wants_fragment(request) else template
    text = ctx.site.templates.render(name, shared(ctx, request) | context)
    extra = {"Vary": VARY, "Cache-Control": "no-store, private"}
    if fragment is None and wants_fragment(request):
        extra |= {"HX-Retarget": "body", "HX-Reswap": "innerHTML"}
    if ctx.visitor_cookie and ctx.visitor_cookie not in ctx.cookies:
        ctx.cookies.append(ctx.visitor_cookie)
    if event:
        extra["HX-Trigger"] = headers_json({event: True})
    return _encoded(request, text.encode(), status, extra | (headers or {}))


def go(request: Request[Any, Any, Any], route: str, *, event: str | None = None, **params: object) -> Response[bytes]:
    """Send the person to a route of ours: 303, or HX-Redirect, because fetch would swallow the 303."""
    return go_to(request, context_of(request).url(route, **params), event=event)


def go_to(request: ASGIConnection[Any, Any, Any, Any], path: str, *, event: str | None = None) -> Response[bytes]:
    """As `go`, for a path that came from `safe_next` or `url`."""
    headers = {"Cache-Control": "no-store", "Vary": VARY}
    if event:
        headers["HX-Trigger"] = headers_json({event: True})
    if context_of(request).header(b"hx-request") == "true":
        return Response(b"", status_code=200, headers=headers | {"HX-Redirect": path}, media_type=HTML)
    return Response(b"", status_code=303, headers=headers | {"Location": path}, media_type=HTML)


def as_download(name: str, body: bytes, media_type: str) -> Response[bytes]:
    """A file to keep. `name` is plain ASCII of ours."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "private, no-store",
        "Vary": "Cookie",
    }
    return Response(body, media_type=media_type, headers=headers)


def shared(ctx: RequestContext, request: ASGIConnection[Any, Any, Any, Any]) -> dict[str, Any]:
    """What every template may name."""
    settings = ctx.site.settings
    grant = str(ctx.identity.grant_id or "") if ctx.identity else ""
    return {
        "identity": ctx.identity,
        "theme": ctx.identity.user.theme if ctx.identity else "system",
        "nav": sections(ctx),
        "simulated_payments": settings.payments == "embedded",
        "idle_seconds": _idle_seconds(ctx),
        "request_key": ids.token(),
        "url": ctx.url,
        "asset": ctx.site.assets.url,
        "csrf": csrf.issue(settings.keys.csrf, ctx.binding, grant),
        "route": ctx.route or "",
        "request_path": ctx.prefix + request.scope["path"],
        "request_id": ctx.origin.request_id,
        "flags": ctx.site.flags,
        "routes": ctx.site.urls,
        "zone": (ctx.identity.zone if ctx.identity else None) or settings.zone,
    }


def _idle_seconds(ctx: RequestContext) -> int:
    """After how long without a click this sign-in ends; 0 for visitors."""
    if ctx.identity is None:
        return 0
    if ctx.identity.grant is not None:
        return int(grants.IDLE.total_seconds())
    idle = Limits.of(ctx.site.settings).idle_on(shared_device=ctx.identity.shared_device)
    return int(idle.total_seconds())


# Pages that have no entry of their own in the navigation.
_STANDS_UNDER = {
    "cards": "billing",
    "pay": "billing",
    "orders": "billing",
    "alerts": "dashboard",
    "activity": "account",
    "addons": "services",
    "bundles": "services",
    "staff.visits": "staff.customers",
    "staff.people": "staff.customers",
    "staff.transfers": "staff.customers",
    "staff.approvals": "staff",
    "staff.figures": "staff",
    "staff.lists": "staff",
    "staff.orders": "staff.payments",
    "staff.settings": "staff",
    "staff.catalogue": "staff",
}


class Section(NamedTuple):
    """One entry of the navigation."""

    label: str
    href: str
    icon: str
    current: bool


class Nav(tuple[Section, ...]):
    """The navigation as macros may remember it: two that are equal say the same."""

    __slots__ = ()
    is_plain = True


def sections(ctx: RequestContext) -> Nav:
    """The six sections of a customer, less those the person has no right to; staff without a grant have the console."""
    identity = ctx.identity
    if identity is None or ctx.site.requirement.stops(identity, clock.now()):
        return Nav()
    rights = identity.rights if identity.scope is not None else identity.staff_rights
    here, site = _section_of(ctx.route or ""), ctx.site
    return _sections(identity.scope is not None, rights, site.flags, site.urls, ctx.prefix, here, words.spoken())


@lru_cache(maxsize=512)
def _sections(
    of_customer: bool,
    rights: frozenset[Right | StaffRight],
    flags: frozenset[str],
    urls: Urls,
    prefix: str,
    here: str,
    _language: NullTranslations,
) -> Nav:
    offered = _portal() if of_customer else _console() if rights else []
    return Nav(
        Section(label, urls.to(route, prefix), icon, here == route)
        for route, label, icon in offered
        if route in urls and may_look(route, rights.__contains__, flags)
    )


def _section_of(route: str) -> str:
    here = ".".join(route.split(".")[:2]) if route.startswith("staff.") else route.partition(".")[0]
    return _STANDS_UNDER.get(here, here)


def _portal() -> list[tuple[str, str, str]]:
    """The sections of a customer."""
    return [
        ("dashboard", _("Dashboard"), "home"),
        ("services", _("Services"), "services"),
        ("usage", _("Usage"), "usage"),
        ("billing", _("Billing"), "billing"),
        ("topup", _("Top-Up"), "topup"),
        ("account", _("Account"), "account"),
    ]


def _console() -> list[tuple[str, str, str]]:
    """The sections of the staff console."""
    return [
        ("staff", _("Overview"), "home"),
        ("staff.customers", _("Customers"), "account"),
        ("staff.payments", _("Payments"), "billing"),
        ("staff.requests", _("Requests"), "info"),
        ("staff.jobs", _("Jobs"), "clock"),
        ("staff.audit", _("Audit"), "services"),
    ]


def _encoded(
    request: ASGIConnection[Any, Any, Any, Any], body: bytes, status: int, headers: dict[str, str]
) -> Response[bytes]:
    encoding = "identity"
    if len(body) >= _WORTH_COMPRESSING:
        encoding = best_encoding(context_of(request).header(b"accept-encoding"), ("br", "gzip"))
    if encoding == "br":
        body = brotli.compress(body, quality=4)
    elif encoding == "gzip":
        body = gzip.compress(body, 5, mtime=0)
    if encoding != "identity":
        headers["Content-Encoding"] = encoding
    return Page(body, status, headers)


class Page(Response[bytes]):
    """Bytes of HTML that are ready to be sent: nothing is left to be merged, guessed or encoded."""

    def __init__(self, body: bytes, status: int, headers: dict[str, str]):
        self.content = body
        self.status_code = status
        self.headers = headers
        self.media_type = HTML

    def to_asgi_response(self, app: object, request: object, **_given: object) -> ASGIApp:  # type: ignore[override]
        told = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        told += ((b"content-type", b"text/html; charset=utf-8"), (b"content-length", b"%d" % len(self.content)))

        async def send_it(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": self.status_code or 200, "headers": told})
            await send({"type": "http.response.body", "body": self.content, "more_body": False})

        return send_it
