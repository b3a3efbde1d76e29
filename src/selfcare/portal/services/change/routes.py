"""Handlers of /services/{id}/change: which setting, its new value, look at it once more, and have it done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, Rejected, Unavailable
from selfcare.kernel.words import _
from selfcare.portal.orders import order as orders
from selfcare.portal.orders import paying
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.shop import Shop
from selfcare.portal.services.change import changing
from selfcare.portal.services.change.changing import Change
from selfcare.portal.services.change.parameters import FIELD
from selfcare.portal.services.change.queries import settings_of
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.errors import status_of
from selfcare.web.forms import Form
from selfcare.web.guards import ask_for_proof
from selfcare.web.pages import go, page

FIELDS = ("setting", FIELD, "price", "card", "save_card")


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page here needs."""

    request: Request[Any, Any, Any]
    identity: Identity
    settings: Settings
    service_id: UUID
    key: str

    async def look(self, typed: str) -> Change:
        scope = self.identity.customer
        return await changing.look(scope, self.service_id, self.key, typed, region=self.settings.region)


@get("/services/{service_id:uuid}/change", name="services.change")
async def show(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    return await _list(request, identity, service_id)


@get("/services/{service_id:uuid}/change/choose", name="services.change.choose")
async def choose(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    key = request.query_params.get("setting", "")
    if not key:
        return await _list(request, identity, service_id)
    found = await settings_of(identity.customer, service_id)
    now = found.one(key).now
    form = Form.empty(**{FIELD: "" if now == found.one(key).parameter.empty else now})
    return await _choice(Desk(request, identity, settings, service_id, key), form)


@get("/services/{service_id:uuid}/change/review", name="services.change.review")
async def review(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = Form.query(request, "setting", FIELD)
    if not form["setting"]:
        return await _list(request, identity, service_id)
    desk = Desk(request, identity, settings, service_id, form["setting"])
    try:
        wanted = await desk.look(form[FIELD])
    except Rejected as problem:
        form.reject(FIELD, problem.message)
        return await _choice(desk, form, status=422)
    except Conflict as problem:
        return await _list(request, identity, service_id, problem.message)
    return await _review(desk, wanted, None)


@post("/services/{service_id:uuid}/change", name="services.change.order", status_code=200)
async def order(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, *FIELDS)
    desk = Desk(request, identity, settings, service_id, form["setting"])
    if known := await orders.find_by_request_key(identity.customer.customer_id, form.request_key):
        return go(request, "orders.show", order_id=known.id)
    try:
        wanted = await desk.look(form[FIELD])
        how = paying.how(paying.CREDIT, request_key=form.request_key)
        if wanted.parameter.price:
            choice = form.choice("card", (await _ways(desk, wanted)).choices, _("Choose how to pay."))
            if choice is None:
                return await _review(desk, wanted, form, status=422)
            if await paying.needs_proof(identity, choice, wanted.parameter.price, settings):
                await ask_for_proof(request)
            how = paying.how(choice, request_key=form.request_key, save_card=form.flag("save_card"))
        done = await changing.change(
            Shop.of(ports, settings),
            identity,
            service_id,
            desk.key,
            form[FIELD],
            region=settings.region,
            shown=form.hidden_number("price"),
            how=how,
        )
    except (Rejected, Conflict, Unavailable, TooOften) as problem:
        return await _again(desk, form, problem)
    return go(request, "orders.show", order_id=done.id)


async def _list(
    request: Request[Any, Any, Any], identity: Identity, service_id: UUID, problem: str = ""
) -> Response[bytes]:
    found = await settings_of(identity.customer, service_id)
    return page(request, "services/change/index", status=409 if problem else 200, found=found, problem=problem)


async def _choice(desk: Desk, form: Form, *, status: int = 200) -> Response[bytes]:
    found = await settings_of(desk.identity.customer, desk.service_id)
    setting = found.one(desk.key)
    return page(
        desk.request, "services/change/choose", status=status, found=found, setting=setting, form=form, field=FIELD
    )


async def _ways(desk: Desk, wanted: Change) -> paying.Ways:
    return await paying.ways_to_pay(desk.identity, wanted.parameter.price, today=clock.today(desk.settings.zone))


async def _review(desk: Desk, wanted: Change, form: Form | None, *, status: int = 200) -> Response[bytes]:
    ways = await _ways(desk, wanted) if wanted.parameter.price else None
    if form is None:
        form = _form(wanted, ways.usual if ways else "")
    return page(
        desk.request,
        "services/change/review",
        fragment="services/change/_review",
        status=status,
        wanted=wanted,
        ways=ways,
        form=form,
    )


async def _again(desk: Desk, form: Form, problem: Rejected | Conflict | Unavailable | TooOften) -> Response[bytes]:
    """Nothing was charged or changed: the same page with why, or the list where it cannot be changed any more."""
    try:
        wanted = await desk.look(form[FIELD])
    except Rejected as bad:
        form.reject(FIELD, bad.message)
        return await _choice(desk, form, status=422)
    except Conflict as gone:
        return await _list(desk.request, desk.identity, desk.service_id, gone.message)
    if isinstance(problem, PriceChanged):
        # Read anew: what is shown now is what the next press of the button pays.
        form = _form(wanted, form["card"] or (await _ways(desk, wanted)).usual)
    form.reject(problem.field if isinstance(problem, Rejected) and problem.field in FIELDS else None, problem.message)
    status = status_of(problem)
    return await _review(desk, wanted, form, status=status)


def _form(wanted: Change, card: str) -> Form:
    shown = {FIELD: wanted.value, "price": str(wanted.parameter.price.minor)}
    return Form.empty("save_card", card=card, setting=wanted.parameter.key, **shown)


router = Router("/", route_handlers=[show, choose, review, order])
