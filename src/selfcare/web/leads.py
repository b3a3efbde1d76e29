"""Addresses of pages that this portal may not have, or this person no right to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from litestar import Request

from selfcare.identity.permissions import may_look
from selfcare.web.context import context_of


def leads_to(request: Request[Any, Any, Any]) -> Callable[..., str]:
    """For a route name its address, or an empty text: no such page here, or not for this person."""
    ctx = context_of(request)

    def address(route: str, **parameters: object) -> str:
        if ctx.identity is None or ctx.identity.scope is None or route not in ctx.site.urls:
            return ""
        if not may_look(route, ctx.identity.can, ctx.site.flags):
            return ""
        return ctx.url(route, **parameters)

    return address


def request_url(request: Request[Any, Any, Any], kind: str, **more: object) -> str:
    """Where to ask us for something: the form of this kind, or for whoever cannot use it a mail with a subject."""
    form = leads_to(request)("account.requests.new", kind=kind, **more)
    ctx = context_of(request)
    if form and ctx.identity is not None and not ctx.identity.is_impersonating:
        return form
    number = f" {ctx.identity.scope.customer_number}" if ctx.identity and ctx.identity.scope else ""
    subject = quote(kind.replace("_", " ").capitalize() + number)
    return f"mailto:{ctx.site.settings.operator.support_mail}?subject={subject}"
