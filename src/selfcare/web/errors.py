"""From an exception to a page, a fragment or JSON: plain layout, no database, because little else may work."""

from __future__ import annotations

import logging
from typing import Any

from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)

from selfcare.identity.limits import TooOften
from selfcare.kernel.errors import Conflict, DeadLink, NotAllowed, NotFound, Rejected, SelfcareError, Unavailable
from selfcare.kernel.words import _
from selfcare.web.context import context_of
from selfcare.web.forms import keepable
from selfcare.web.pages import go_to, page, wants_fragment
from selfcare.web.templating import headers_json

log = logging.getLogger(__name__)


class TurnedAway(SelfcareError):
    """The guard said no; the words come from the page that is shown instead."""

    def __init__(self) -> None:
        super().__init__("")


class NeedsSignIn(TurnedAway):
    """Nobody is signed in, or no longer."""


class NeedsProof(TurnedAway):
    """Signed in, but the last password, code or passkey is too long ago for this."""


class NeedsSecondStep(TurnedAway):
    """The operator asks for a second step, and this person has set none up in time."""


class OutOfDate(TurnedAway):
    """The form comes from a page of an earlier sign-in; its text is offered again with a fresh token."""


class VisitOver(TurnedAway):
    """A support visit that was stopped, ran out or lost its right: nothing of the customer is shown any more."""


class Strange(TurnedAway):
    """The request cannot be one of our pages': refused without further ado."""


def problem_page(
    request: Request[Any, Any, Any], status: int, message: str | None = None, *, title: str = "", **context: Any
) -> Response[bytes]:
    """The error page of a status; htmx gets the small fragment, /api gets JSON."""
    headers = {}
    if retry := context.get("retry_after"):
        headers["Retry-After"] = str(retry)
    ctx = context_of(request)
    if request.scope["path"].startswith(("/api/", "/feeds/", "/hooks/")):
        told = _("This address does not take such a request") if status == 405 else _title(status)
        return _json(status, message or told, ctx.origin.request_id, headers)
    return page(
        request,
        "errors/page",
        fragment="errors/_problem" if wants_fragment(request) else None,
        status=status,
        headers=headers,
        problem_title=title or _title(status),
        problem_status=status,
        problem_message=message or _meaning(status),
        **context,
    )


def on_domain_error(request: Request[Any, Any, Any], error: SelfcareError) -> Response[bytes]:
    match error:
        case DeadLink():
            return problem_page(request, 404, error.message, title=_("This link no longer works"), dead_link=True)
        case NotFound():
            return _without_customer(request) or problem_page(request, 404)
        case NotAllowed():
            return problem_page(request, 403, error.message)
        case Conflict():
            return problem_page(request, 409, error.message)
        case Unavailable():
            return problem_page(request, 503, error.message, retry_after=error.retry_after)
        case TooOften():
            return problem_page(request, 429, error.message, retry_after=error.retry_after)
        case OutOfDate():
            return problem_page(request, 419, fields=keepable(context_of(request).form or []))
        case VisitOver():
            return _visit_over(request)
        case Strange():
            return problem_page(request, 403)
        case NeedsSignIn():
            return _to_sign_in(request)
        case NeedsProof():
            return go_to(request, context_of(request).url("sign_in.prove", next=_here(request)))
        case NeedsSecondStep():
            return go_to(request, context_of(request).url("account.security.required", next=_here(request)))
        case Rejected():
            # A rule spoke where no form was there to show it: still a clear page.
            return problem_page(request, 422, error.message)
        case _:
            return on_any_error(request, error)


def status_of(problem: SelfcareError) -> int:
    """Of an answer that shows the form again, with why nothing was done."""
    statuses: dict[type[SelfcareError], int] = {Rejected: 422, Conflict: 409, Unavailable: 503, TooOften: 429}
    return next(status for kind, status in statuses.items() if isinstance(problem, kind))


def _without_customer(request: Request[Any, Any, Any]) -> Response[bytes] | None:
    """The start page of somebody who belongs to no customer: staff have a console, others are told."""
    ctx = context_of(request)
    if ctx.route != "dashboard" or ctx.identity is None or ctx.identity.scope is not None:
        return None
    if ctx.identity.is_staff and ctx.site.serves == "portal":
        # Not sent there: a form must not lead to another host, and this may be the answer to one.
        console = ctx.site.settings.staff_url
        return problem_page(
            request, 404, _("The staff console has an address of its own."), title=_("Not here"), console=console
        )
    if ctx.identity.is_staff:
        return go_to(request, ctx.url("staff"))
    if ctx.identity.customers:
        return go_to(request, ctx.url("account.switch"))
    return problem_page(request, 403, _("Your sign-in is not linked to an account at the moment. Ask us to link it."))


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    if isinstance(error, MethodNotAllowedException):
        answer = problem_page(request, 405)
        answer.headers.update(error.headers or {})
        return answer
    if isinstance(error, NotFoundException):
        return problem_page(request, 404)
    if isinstance(error, ValidationException) or error.status_code == 400:
        # A bad id in a path is a page that does not exist, and nothing else.
        return problem_page(request, 404 if request.method == "GET" else 400)
    if error.status_code >= 500:
        return on_any_error(request, error)
    return problem_page(request, error.status_code)


def on_any_error(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    ctx = context_of(request)
    log.error("request failed", exc_info=error, extra={"request_id": ctx.origin.request_id, "route": ctx.route or ""})
    return problem_page(request, 500)


def _to_sign_in(request: Request[Any, Any, Any]) -> Response[bytes]:
    ctx = context_of(request)
    if request.scope["path"].startswith(("/api/", "/feeds/")):
        return _json(401, _title(401), ctx.origin.request_id, {})
    return go_to(request, ctx.site.urls.to("sign_in", next=_here(request)))


def _here(request: Request[Any, Any, Any]) -> str:
    """Where to come back to: this page, or for a form the page it stood on."""
    ctx = context_of(request)
    if request.method == "GET" and not wants_fragment(request):
        query = request.scope["query_string"].decode("latin-1")
        return ctx.prefix + request.scope["path"] + (f"?{query}" if query else "")
    current = request.headers.get("hx-current-url") or request.headers.get("referer") or ""
    public = ctx.site.settings.public_url.rstrip("/")
    return current.removeprefix(public) if current.startswith(f"{public}/") else "/"


def _visit_over(request: Request[Any, Any, Any]) -> Response[bytes]:
    """410, and in words why; htmx swaps nothing in, the tab goes to the page of the visit."""
    why = {
        "staff": _("You stopped it, or you signed out."),
        "customer": _("The customer ended it."),
        "time": _("It ran out: a visit ends after 15 minutes without a click, and after an hour at most."),
        "right": _("It is not allowed any more: your right, the customer's sign-in or their place in it has changed."),
    }
    return page(request, "staff/visits/over", status=410, why=why[context_of(request).visit_over or "staff"])


def _title(status: int) -> str:
    return {
        400: _("We could not read that"),
        401: _("Sign in first"),
        403: _("That is not possible here"),
        404: _("Page not found"),
        405: _("Page not found"),
        409: _("Something changed meanwhile"),
        413: _("That is too much to send at once"),
        415: _("We could not read that"),
        419: _("This page was open too long"),
        422: _("There is a problem"),
        429: _("A little too fast"),
        503: _("We are busy right now"),
    }.get(status, _("Something went wrong on our side"))


def _meaning(status: int) -> str:
    return {
        400: _("What your browser sent was not readable. Nothing was changed. Go back and try once more."),
        403: _("Nothing was changed. If you came here by a link on another site, open the page from our own menu."),
        404: _(
            "There is nothing at this address, or it is not yours to see. Check the address or go to the start page."
        ),
        405: _(
            "There is nothing at this address, or it is not yours to see. Check the address or go to the start page."
        ),
        413: _("Nothing was changed. Send less text and try again."),
        415: _("What your browser sent was not readable. Nothing was changed. Go back and try once more."),
        419: _("For your safety we did not act on it yet. What you typed is still here: look at it and send it again."),
    }.get(
        status,
        _("Nothing you typed was acted on. Try again in a minute, and tell us the reference if it happens again."),
    )


def _json(status: int, title: str, request_id: str, headers: dict[str, str]) -> Response[bytes]:
    body = headers_json({"status": status, "title": title, "request_id": request_id}).encode()
    return Response(
        body, status_code=status, headers=headers | {"Cache-Control": "no-store"}, media_type="application/problem+json"
    )
