"""A link from a mail: its token moves from the address into a cookie, so that neither history nor Referer tells it."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response

from selfcare.web.context import context_of
from selfcare.web.pages import go

KEPT_SECONDS = 3600


def moved(request: Request[Any, Any, Any], route: str) -> Response[bytes] | None:
    """At the first look: to the same page without the token in its address. None once that is done."""
    token = request.query_params.get("token")
    if not token:
        return None
    keep(request, token[:64])
    answer = go(request, route)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


def keep(request: Request[Any, Any, Any], token: str) -> None:
    """Of a link that was made for this very browser."""
    ctx = context_of(request)
    ctx.cookies.append(ctx.site.cookies.set(ctx.site.cookies.link, token, max_age=KEPT_SECONDS))


def token_of(request: Request[Any, Any, Any]) -> str:
    return request.cookies.get(context_of(request).site.cookies.link, "")


def used(request: Request[Any, Any, Any]) -> None:
    """The link has done what it was for: forget its token."""
    ctx = context_of(request)
    ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.link))
