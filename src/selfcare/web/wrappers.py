"""What lies around the application: headers on every answer, caps before parsing, who is asking.

Wrappers, not middleware: the framework's middleware does not run for unknown addresses, and errors need headers too.
"""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import replace
from hashlib import sha256
from time import perf_counter
from typing import Any, cast
from urllib.parse import unquote_to_bytes, urlsplit
from uuid import UUID

from litestar.types import ASGIApp, Receive, Scope, Send

from selfcare.formats import COUNTRIES
from selfcare.identity import grants, sessions
from selfcare.kernel import ids
from selfcare.kernel.origin import Origin
from selfcare.web.assets import Assets
from selfcare.web.context import KEY, RequestContext, Site

log = logging.getLogger("selfcare.access")

MOST_FIELDS = 200
CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)
REFERRER_POLICY, REQUEST_ID = b"referrer-policy", b"x-request-id"
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (REFERRER_POLICY, b"strict-origin-when-cross-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(self), microphone=(), payment=()"),
)
HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")
_PATH_LIMITS = (("/api/", 256_000), ("/feeds/", 8_000_000), ("/hooks/", 1_000_000))
_FORM_LIMIT = 64_000
_VISITOR = re.compile(r"[A-Za-z0-9_-]{43}")
_VISIT = re.compile(r"/as/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(/.*)?\Z", re.DOTALL)

Http = MutableMapping[str, Any]


class TooLarge(Exception):
    """The body is over its cap."""


class Unreadable(Exception):
    """The body is not the text of a form."""


class Outside:
    """The outermost wrapper: one `RequestContext` per request, security headers and request id on every answer."""

    def __init__(self, app: ASGIApp, site: Site, console: Site | None = None):
        """`console`: what answers at the host of the staff, where they have one of their own."""
        self.app = app
        self.site = site
        self.console = console
        self.console_host = urlsplit(site.settings.staff_url).netloc.lower() if console else ""
        self.cookies = site.cookies
        self.country_header = site.settings.country_header.encode()
        self.headers = SECURITY_HEADERS + ((HSTS,) if self.cookies.secure else ())
        self.headers_but_referrer = tuple(pair for pair in self.headers if pair[0] != REFERRER_POLICY)
        self.names = frozenset(name for name, _value in self.headers_but_referrer) | {REQUEST_ID}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if str(scope["type"]) == "http":
            await self._answer(cast("Http", scope), receive, send)
        else:
            await self.app(scope, receive, send)

    async def _answer(self, scope: Http, receive: Receive, send: Send) -> None:
        started = perf_counter()
        request_id = ids.reference("R")
        sent = dict(reversed(scope["headers"]))
        site = self._site(sent)
        device = sent.get(b"user-agent", b"").decode("latin-1")[:200]
        ctx = RequestContext(site, Origin(_address(scope), device, request_id, self._country(sent)), sent)
        scope[KEY] = ctx
        status = 500

        async def with_headers(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                theirs = [pair for pair in message["headers"] if pair[0].lower() not in self.names]
                # A handler may say less about where people come from, never more.
                less = any(name.lower() == REFERRER_POLICY for name, _value in theirs)
                ours = self.headers_but_referrer if less else self.headers
                cookies = [(b"set-cookie", cookie.encode("latin-1")) for cookie in ctx.cookies]
                message["headers"] = [*theirs, *ours, (REQUEST_ID, request_id.encode()), *cookies]
            await send(message)

        if scope["path"].startswith(Assets.prefix):
            if scope["path"] not in site.assets:
                # A page of another process, which knows of a new theme already.
                await site.standing.look()
            await self._site(sent).assets(cast("Scope", scope), receive, with_headers)
            return
        try:
            await self._enter(ctx, scope, receive, with_headers)
        finally:
            log.info(
                "request",
                extra={
                    "request_id": request_id,
                    "method": scope["method"],
                    "route": ctx.route or "-",
                    "status": status,
                    "ms": round((perf_counter() - started) * 1000, 1),
                },
            )

    def _site(self, sent: Mapping[bytes, bytes]) -> Site:
        if self.console is None or sent.get(b"host", b"").decode("latin-1").lower() != self.console_host:
            return self.site
        return self.console

    def _country(self, sent: Mapping[bytes, bytes]) -> str | None:
        """What the web server in front says; XX, T1 and the like are no countries."""
        if not self.country_header:
            return None
        said = sent.get(self.country_header, b"").decode("latin-1").strip().upper()
        return said if said in COUNTRIES else None

    async def _enter(self, ctx: RequestContext, scope: Http, receive: Receive, send: Send) -> None:
        visit = _take_prefix(ctx, scope)
        await self._identify(ctx, _cookies(ctx.header(b"cookie")))
        if visit is not None:
            await _visit(ctx, visit)
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            try:
                receive = await _read_body(ctx, scope, receive)
            except TooLarge:
                ctx.refused = 413
            except Unreadable:
                ctx.refused = 400
        await self.app(cast("Scope", scope), receive, send)

    async def _identify(self, ctx: RequestContext, cookies: dict[str, str]) -> None:
        token = cookies.get(self.cookies.session, "")
        if _VISITOR.fullmatch(token):
            found = await sessions.recognise(token, ctx.origin)
            ctx.identity, ctx.last_seen_at = found.identity, found.last_seen_at
            ctx.expired_user_id = found.expired_user_id
            if ctx.identity is not None:
                ctx.binding = token
                return
        self._greet_visitor(ctx, cookies.get(self.cookies.visitor, ""))

    def _greet_visitor(self, ctx: RequestContext, sent: str) -> None:
        """A visitor's forms are bound to a signed random cookie; one that we did not sign is replaced."""
        value, _dot, signature = sent.partition(".")
        key = ctx.site.settings.keys.csrf
        if _VISITOR.fullmatch(value) and hmac.compare_digest(signature, _sign(key, value)):
            ctx.binding = value
            return
        ctx.binding = ids.token()
        ctx.visitor_cookie = self.cookies.set(self.cookies.visitor, f"{ctx.binding}.{_sign(key, ctx.binding)}")


def _take_prefix(ctx: RequestContext, scope: Http) -> UUID | None:
    """/as/<grant>/usage is the page /usage, seen under that grant."""
    if not scope["path"].startswith("/as/"):
        return None
    found = _VISIT.match(scope["path"])
    if found is None or ctx.site.serves == "portal":
        ctx.refused = 404
        return None
    ctx.prefix = f"/as/{found[1]}"
    scope["path"] = found[2] or "/"
    scope["raw_path"] = scope["path"].encode()
    return UUID(found[1])


async def _visit(ctx: RequestContext, grant_id: UUID) -> None:
    """To all but the staff member who opened it the address does not exist; a visit that is over shows nothing."""
    found = await grants.recognise(grant_id, ctx.identity) if ctx.identity else grants.Recognised()
    if found.identity is not None and found.identity.grant is not None:
        grant = found.identity.grant
        # What the operator switched off meanwhile is gone from open visits too.
        allowed = grant.allowed & frozenset(ctx.site.settings.support_actions)
        ctx.identity = replace(found.identity, grant=replace(grant, allowed=allowed))
        ctx.visit_seen_at = found.last_seen_at
        return
    ctx.prefix = ""
    ctx.visit_over = found.over
    if found.over is None:
        ctx.refused = 404


async def _read_body(ctx: RequestContext, scope: Http, receive: Receive) -> Receive:
    """The whole body, capped while it arrives; a form is counted before it is parsed."""
    limit = next((most for start, most in _PATH_LIMITS if scope["path"].startswith(start)), _FORM_LIMIT)
    declared = ctx.header(b"content-length")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge
    body = bytearray()
    more = True
    while more:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        if len(body) > limit:
            raise TooLarge
        more = message.get("more_body", False)
    kind = ctx.header(b"content-type").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        ctx.form = parse_form(bytes(body))
    elif limit == _FORM_LIMIT and body:
        raise Unreadable
    return _replay(bytes(body), receive)


def parse_form(body: bytes) -> list[tuple[str, str]]:
    """Names and values of a urlencoded form. Too many fields: TooLarge; NUL or not UTF-8: Unreadable."""
    if not body:
        return []
    if body.count(b"&") >= MOST_FIELDS:
        raise TooLarge
    try:
        pairs = [part.partition(b"=") for part in body.replace(b"+", b" ").split(b"&")]
        form = [(unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()) for name, _equals, value in pairs]
    except UnicodeDecodeError as error:
        raise Unreadable from error
    if any("\x00" in name or "\x00" in value for name, value in form):
        raise Unreadable
    return [(name, value.replace("\r\n", "\n")) for name, value in form]


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Any:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _address(scope: Http) -> str:
    client = scope.get("client")
    return client[0] if client else "unknown"


def _cookies(sent: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in sent.split(";")]
    return {name.strip(): value.strip() for name, _equals, value in pairs}


def _sign(key: bytes, value: str) -> str:
    return hmac.digest(key, f"visitor\x00{value}".encode(), sha256).hex()[:32]
