"""Handlers of /cards."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected, Unavailable
from selfcare.kernel.words import _
from selfcare.portal.cards import adding, cards, changes
from selfcare.portal.cards.needs import needs_of
from selfcare.portal.pay import words
from selfcare.portal.pay.till import Till
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import go, page
from selfcare.web.urls import safe_next


@get("/cards", name="cards")
async def list_all(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    known = await cards.list_cards(identity.customer.customer_id)
    return page(request, "cards/index", cards=known, today=clock.today(settings.zone), full=len(known) >= cards.MOST)


@get("/cards/new", name="cards.new")
async def show_new(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = Form.empty(next=safe_next(request.query_params.get("next"), ""))
    return await _new_page(request, identity, form)


@post("/cards/new", name="cards.add", status_code=200)
async def add(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "next")
    try:
        visit = await adding.start(
            Till.of(ports, settings), identity, request_key=form.request_key, back_to=safe_next(form["next"], "")
        )
    except (Rejected, Unavailable, TooOften) as problem:
        form.reject(None, problem.message)
        status = 429 if isinstance(problem, TooOften) else 503 if isinstance(problem, Unavailable) else 422
        return await _new_page(request, identity, form, status=status)
    return go(request, "cards.visit", visit_id=visit.id)


@get("/cards/new/{visit_id:uuid}", name="cards.visit")
async def show_visit(
    request: Request[Any, Any, Any],
    visit_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """First the way to the gateway's page, then what came of it. What the query says is never believed."""
    visit = await adding.get(identity.customer_id, visit_id)
    came_back = "back" in request.query_params
    if came_back:
        visit = await adding.finish(Till.of(ports, settings), visit, gave_up="gave_up" in request.query_params)
    card = None
    if visit.card_id is not None:
        known = await cards.list_cards(visit.customer_id)
        card = next((each for each in known if each.id == visit.card_id), None)
    return page(
        request,
        "cards/visit",
        visit=visit,
        card=card,
        came_back=came_back,
        refusal=words.reason(visit.why),
    )


@get("/cards/{card_id:uuid}", name="cards.show")
async def show(
    request: Request[Any, Any, Any],
    card_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    card = await cards.get_card(identity.customer.customer_id, card_id)
    return await _card_page(request, identity, settings, card.id, Form.empty("nickname", nickname=card.nickname or ""))


@post("/cards/{card_id:uuid}", name="cards.rename", status_code=200)
async def rename(
    request: Request[Any, Any, Any],
    card_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "nickname")
    nickname = form.text("nickname", most=changes.LONGEST_NICKNAME, least=0)
    if nickname is not None:
        await changes.rename(identity, card_id, nickname)
    if form:
        return go(request, "cards")
    return await _card_page(request, identity, settings, card_id, form, status=422)


@post("/cards/{card_id:uuid}/default", name="cards.make_default", status_code=200)
async def make_default(
    request: Request[Any, Any, Any],
    card_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    try:
        await changes.make_default(identity, card_id, ports.jobs)
    except Rejected as problem:
        card = await cards.get_card(identity.customer.customer_id, card_id)
        form = Form.empty("nickname", nickname=card.nickname or "")
        form.reject(None, problem)
        return await _card_page(request, identity, settings, card_id, form, status=422)
    return go(request, "cards")


@post("/cards/{card_id:uuid}/move", name="cards.move", status_code=200)
async def move(
    request: Request[Any, Any, Any], card_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    form = await Form.read(request, "way")
    way = form.choice("way", ("up", "down"))
    if way:
        await changes.move(identity, card_id, up=way == "up")
    return go(request, "cards")


@get("/cards/{card_id:uuid}/remove", name="cards.removal")
async def show_removal(
    request: Request[Any, Any, Any], card_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    return await _removal_page(request, identity, card_id)


@post("/cards/{card_id:uuid}/remove", name="cards.remove", status_code=200)
async def remove(
    request: Request[Any, Any, Any],
    card_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    try:
        await changes.remove(identity, card_id, ports.jobs)
    except Rejected:
        return await _removal_page(request, identity, card_id, status=422)
    return go(request, "cards")


async def _new_page(
    request: Request[Any, Any, Any], identity: Identity, form: Form, *, status: int = 200
) -> Response[bytes]:
    known = await cards.list_cards(identity.customer.customer_id)
    if len(known) >= cards.MOST and not form.errors:
        form.reject(None, _("You have %(n)d cards already. Remove one first.") % {"n": cards.MOST})
    return page(request, "cards/new", status=status, form=form, full=len(known) >= cards.MOST)


async def _card_page(
    request: Request[Any, Any, Any],
    identity: Identity,
    settings: Settings,
    card_id: UUID,
    form: Form,
    *,
    status: int = 200,
) -> Response[bytes]:
    customer_id = identity.customer.customer_id
    card = await cards.get_card(customer_id, card_id)
    return page(
        request,
        "cards/show",
        fragment="cards/_show",
        status=status,
        card=card,
        form=form,
        today=clock.today(settings.zone),
        needs=await needs_of(customer_id),
        most=changes.LONGEST_NICKNAME,
    )


async def _removal_page(
    request: Request[Any, Any, Any], identity: Identity, card_id: UUID, *, status: int = 200
) -> Response[bytes]:
    customer_id = identity.customer.customer_id
    card = await cards.get_card(customer_id, card_id)
    left = [each for each in await cards.list_cards(customer_id) if each.id != card_id]
    return page(
        request,
        "cards/remove",
        status=status,
        card=card,
        heir=left[0] if card.is_default and left else None,
        refusal=await changes.why_not_remove(customer_id, card),
        autopays=bool(await needs_of(customer_id)),
    )


router = Router(
    "/",
    route_handlers=[
        list_all,
        show_new,
        add,
        show_visit,
        show,
        rename,
        make_default,
        move,
        show_removal,
        remove,
    ],
)
