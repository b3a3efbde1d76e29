"""Handlers of /account/requests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.kernel.errors import Conflict, NotFound
from selfcare.kernel.words import _
from selfcare.portal.account.requests import kinds, queries, requests, things
from selfcare.portal.account.requests.kinds import Kind
from selfcare.portal.account.requests.requests import LONGEST, Wish
from selfcare.portal.account.requests.things import About
from selfcare.ports.ports import Ports
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/account/requests", name="account.requests")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    number = Form.query(request, "page").whole("page", least=1, most=1000) or 1
    return page(request, "account/requests/index", requests=await queries.list_requests(identity, number))


@get("/account/requests/new", name="account.requests.kinds")
async def show_kinds(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "account/requests/kinds", kinds=kinds.offered_to(identity, context_of(request).site.flags))


@get("/account/requests/new/{kind:str}", name="account.requests.new")
async def show_form(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], kind: FromPath[str]
) -> Response[bytes]:
    asked = _form_of(request, identity, kind)
    query = Form.query(request, "about")
    chosen = None
    if query["about"]:
        about = query.uuid("about")
        if about is None:
            raise NotFound
        chosen = await things.get_thing(identity, asked.thing, about)
    form = Form.empty("text", about=str(chosen.id) if chosen else "")
    return await _form_page(request, identity, asked, form, chosen)


@post("/account/requests/new/{kind:str}", name="account.requests.make", status_code=200)
async def make(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    kind: FromPath[str],
) -> Response[bytes]:
    asked = _form_of(request, identity, kind)
    form = await Form.read(request, "text", "about")
    chosen, status = await _chosen(identity, asked, form), 422
    text = form.text("text", most=LONGEST, least=10, lines=True)
    if text is not None and form:
        try:
            wish = Wish(asked.kind, text, chosen)
            made = await requests.make(identity, wish, key=form.request_key, messages=ports.messages)
            return go(request, "account.requests.show", request_id=made)
        except Conflict as problem:
            form.reject("about" if asked.thing else None, problem.message)
        except TooOften as problem:
            status = 429
            form.reject(None, problem.message)
    return await _form_page(request, identity, asked, form, chosen, status=status)


@get("/account/requests/{request_id:uuid}", name="account.requests.show")
async def show_request(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], request_id: FromPath[UUID]
) -> Response[bytes]:
    talk = await queries.conversation(identity, request_id)
    return page(request, "account/requests/show", talk=talk, form=Form.empty("text"), longest=LONGEST)


@post("/account/requests/{request_id:uuid}/reply", name="account.requests.reply", status_code=200)
async def reply(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], request_id: FromPath[UUID]
) -> Response[bytes]:
    talk = await queries.conversation(identity, request_id)
    form = await Form.read(request, "text")
    text = form.text("text", most=LONGEST, lines=True)
    status = 422
    if text is not None:
        try:
            await requests.reply(identity, request_id, text)
            return go(request, "account.requests.show", request_id=request_id)
        except TooOften as problem:
            status = 429
            form.reject(None, problem.message)
    return page(
        request,
        "account/requests/show",
        fragment="account/requests/_talk",
        status=status,
        talk=talk,
        form=form,
        longest=LONGEST,
    )


@post("/account/requests/{request_id:uuid}/withdraw", name="account.requests.withdraw", status_code=200)
async def withdraw(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    request_id: FromPath[UUID],
) -> Response[bytes]:
    await requests.withdraw(identity, request_id, messages=ports.messages)
    return go(request, "account.requests.show", request_id=request_id)


def _form_of(request: Request[Any, Any, Any], identity: Identity, kind: str) -> kinds.Form:
    offered = {form.kind.value: form for form in kinds.offered_to(identity, context_of(request).site.flags)}
    if kind not in offered:
        raise NotFound
    return offered[kind]


async def _chosen(identity: Identity, asked: kinds.Form, form: Form) -> About | None:
    if not asked.thing or not form["about"]:
        if asked.needs_thing:
            form.reject("about", _("Choose one of the options."))
        return None
    about = form.uuid("about")
    return await things.get_thing(identity, asked.thing, about) if about else None


async def _form_page(
    request: Request[Any, Any, Any],
    identity: Identity,
    asked: kinds.Form,
    form: Form,
    chosen: About | None,
    *,
    status: int = 200,
) -> Response[bytes]:
    return page(
        request,
        "account/requests/new",
        fragment="account/requests/_new",
        status=status,
        form=form,
        asked=asked,
        chosen=chosen,
        things=[] if chosen else [(each.id, each.words) for each in await things.list_things(identity, asked.thing)],
        longest=LONGEST,
        disputes=Kind.DISPUTE.value,
    )


router = Router("/", route_handlers=[show, show_kinds, show_form, make, show_request, reply, withdraw])
