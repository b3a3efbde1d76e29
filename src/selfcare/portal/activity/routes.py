"""Handlers of /activity."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from selfcare.audit.queries import BEGINNING, END
from selfcare.formats import moment
from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.identity.rights import Right
from selfcare.kernel import clock
from selfcare.kernel.place import Place
from selfcare.kernel.words import _
from selfcare.portal.account.requests import requests
from selfcare.portal.account.requests.kinds import Kind
from selfcare.portal.activity import activity, support
from selfcare.portal.activity.activity import Line, Wanted
from selfcare.portal.activity.support import Wish
from selfcare.portal.activity.words import kinds
from selfcare.portal.sign_in.recovery import recoveries
from selfcare.ports.ports import Ports
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page
from selfcare.web.sheets import sheet


@get("/activity", name="activity")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form, wanted = _asked(request, identity)
    shown = await activity.show(identity, wanted) if form else None
    return page(
        request,
        "activity/index",
        fragment="activity/_list",
        status=200 if form else 422,
        form=form,
        kinds=kinds(),
        shown=shown,
        visits=await support.visits_now(identity),
        is_first=wanted.after is None,
    )


@get("/activity/activity.csv", name="activity.csv")
async def download(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes] | Stream:
    form, wanted = _asked(request, identity)
    if not form:
        return page(
            request, "activity/index", status=422, form=form, kinds=kinds(), shown=None, visits=[], is_first=True
        )
    lines = await activity.download(identity, wanted)
    headings = (_("When"), _("What"), _("Who"), _("Device"), _("Place"), _("Outcome"))
    return sheet("activity.csv", headings, _cells(lines, identity.zone or identity.customer.zone))


@get("/activity/not-me", name="activity.not_me")
async def show_not_me(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "activity/not_me")


@post("/activity/not-me", name="activity.disown", status_code=200)
async def disown(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    form, ctx = await Form.read(request), context_of(request)
    await recoveries.disown_others(identity)
    if "requests" in ctx.site.flags and identity.can(Right.MANAGE_OWN_REQUESTS):
        # Five requests a day are enough: what counts is done.
        with suppress(TooOften):
            await requests.make(identity, _alarm(), key=form.request_key, messages=ports.messages)
    ctx.cookies.append(ctx.site.cookies.clear(ctx.site.cookies.remember))
    return page(request, "activity/disowned")


def _alarm() -> requests.Wish:
    return requests.Wish(
        Kind.OTHER,
        _("“Not me” was pressed in the activity list. All other sign-ins were ended. Please look at what happened."),
    )


@get("/activity/support", name="activity.support")
async def show_support(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return await _support_page(request, identity)


@post("/activity/support/wish", name="activity.support.wish", status_code=200)
async def set_wish(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = await Form.read(request, "wish")
    wish = form.choice("wish", [one.value for one in Wish])
    if wish is None or "support_consent" not in context_of(request).site.flags:
        return await _support_page(request, identity, form, status=422)
    await support.set_wish(identity, Wish(wish))
    return go(request, "activity.support")


@post("/activity/support/{grant_id:uuid}/end", name="activity.support.end", status_code=200)
async def end_visit(
    request: Request[Any, Any, Any], grant_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    await Form.read(request)
    await support.end(identity, grant_id)
    return go(request, "activity.support")


@post("/activity/support/{question_id:uuid}/answer", name="activity.support.answer", status_code=200)
async def answer(
    request: Request[Any, Any, Any], question_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    form = await Form.read(request, "answer")
    said = form.choice("answer", ("yes", "no"))
    if said is None:
        return await _support_page(request, identity, form, status=422)
    await support.answer(identity, question_id, yes=said == "yes")
    return go(request, "activity.support")


async def _support_page(
    request: Request[Any, Any, Any], identity: Identity, form: Form | None = None, *, status: int = 200
) -> Response[bytes]:
    wish = await support.wish_of(identity.user_id)
    return page(
        request,
        "activity/support",
        status=status,
        form=form or Form.empty("wish", wish=wish.value),
        visits=await support.visits_now(identity),
        questions=await support.questions(identity),
    )


async def _cells(lines: AsyncIterator[Line], zone: str) -> AsyncIterator[tuple[str, ...]]:
    async for line in lines:
        outcome = _("Refused") if line.refused else _("Done")
        yield moment(line.at, zone), line.what, line.who, line.device, line.place, outcome


def _asked(request: Request[Any, Any, Any], identity: Identity) -> tuple[Form, Wanted]:
    """The filter as it was typed, and what it means on the customer's clock."""
    form = Form.query(request, "kind", "since", "until", "after")
    kind = form.choice("kind", kinds()) if form["kind"] else None
    since = form.day("since") if form["since"] else None
    until = form.day("until") if form["until"] else None
    if since and until and since > until:
        form.reject("until", _("Choose a day on or after the first."))
    zone = identity.zone or identity.customer.zone
    wanted = Wanted(
        packages=frozenset({kind} if kind else ()),
        since=clock.midnight(since, zone) if since else BEGINNING,
        until=clock.midnight(until, zone, days=1) if until else END,
        after=Place.parse(form["after"]),
    )
    return form, wanted


router = Router(
    "/",
    route_handlers=[show, download, show_not_me, disown, show_support, set_wish, end_visit, answer],
)
