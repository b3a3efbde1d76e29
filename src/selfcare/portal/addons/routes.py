"""Handlers of /addons: which service, which add-on, look at it once more, pay; and what runs already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.identity.rights import Right
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected, Unavailable
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.addons import buying, queries, removing
from selfcare.portal.addons.buying import Shown
from selfcare.portal.addons.queries import Quote
from selfcare.portal.bundles import queries as bundles
from selfcare.portal.bundles.buying import may_buy
from selfcare.portal.orders import order as orders
from selfcare.portal.orders import paying
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.shop import Shop
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.errors import status_of
from selfcare.web.forms import Form
from selfcare.web.guards import ask_for_proof
from selfcare.web.pages import go, page

STARTS = ("now", "later")
FIELDS = ("product", "version", "shown", "card", "save_card", "replace", "start", "on")


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page here needs."""

    request: Request[Any, Any, Any]
    identity: Identity
    settings: Settings

    @property
    def may_buy(self) -> bool:
        grant = self.identity.grant
        return self.identity.can(Right.BUY_ADDON) and (grant is None or "addon" in grant.allowed)


@get("/addons", name="addons")
async def choose_service(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(
        request,
        "addons/index",
        targets=await queries.list_targets(identity.customer),
        bundles=[(each, may_buy(identity, each)) for each in await bundles.on_sale(identity.customer)],
    )


@get("/addons/{service_id:uuid}", name="addons.service")
async def choose_addon(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _shelf(Desk(request, identity, settings), service_id)


@get("/addons/{service_id:uuid}/review", name="addons.review")
async def review(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    desk = Desk(request, identity, settings)
    try:
        product_id = UUID(request.query_params.get("product", ""))
    except ValueError:
        return await _shelf(desk, service_id)
    try:
        quote = await queries.quote(identity.customer, service_id, product_id)
    except Conflict as problem:
        return await _shelf(desk, service_id, problem.message)
    return await _review(desk, quote, None)


@post("/addons/{service_id:uuid}", name="addons.buy", status_code=200)
async def buy(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    desk = Desk(request, identity, settings)
    form = await Form.read(request, *FIELDS)
    product_id = form.uuid("product")
    if product_id is None:
        raise NotFound
    if known := await orders.find_by_request_key(identity.customer.customer_id, form.request_key):
        return go(request, "orders.show", order_id=known.id)
    try:
        quote = await queries.quote(identity.customer, service_id, product_id)
    except Conflict as problem:
        return await _shelf(desk, service_id, problem.message)
    start = _start(form, identity) if quote.offer.is_boost else None
    ways = await _ways(desk, quote)
    choice = form.choice("card", ways.choices, _("Choose how to pay."))
    if choice is None or not form:
        return await _review(desk, quote, form, status=422)
    if await paying.needs_proof(identity, choice, quote.price, settings):
        await ask_for_proof(request)
    price = Money(form.hidden_number("shown"), identity.customer.currency)
    shown = Shown(product_id, form.hidden_number("version"), price, start, form.flag("replace"))
    how = paying.how(choice, request_key=form.request_key, save_card=form.flag("save_card"))
    try:
        order = await buying.buy(Shop.of(ports, settings), identity, service_id, shown, how)
    except PriceChanged as changed:
        # Read anew: what is shown now is what the next press of the button pays.
        fresh = _form(quote, choice)
        fresh.reject(None, changed.message)
        return await _review(desk, quote, fresh, status=409)
    except (Rejected, Conflict, Unavailable, TooOften) as problem:
        field = problem.field if isinstance(problem, Rejected) and problem.field in FIELDS else None
        form.reject(field, problem.message)
        status = status_of(problem)
        return await _review(desk, quote, form, status=status)
    return go(request, "orders.show", order_id=order.id)


@get("/addons/{service_id:uuid}/held/{addon_id:uuid}/remove", name="addons.removal")
async def show_removal(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    addon_id: FromPath[UUID],
    identity: NamedDependency[Identity],
) -> Response[bytes]:
    return await _removal(request, identity, service_id, addon_id, Form.empty())


@post("/addons/{service_id:uuid}/held/{addon_id:uuid}/remove", name="addons.remove", status_code=200)
async def remove(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    addon_id: FromPath[UUID],
    identity: NamedDependency[Identity],
) -> Response[bytes]:
    form = await Form.read(request, "fee")
    try:
        await removing.remove(identity, service_id, addon_id, shown=form.hidden_number("fee"))
    except (Rejected, Conflict) as problem:
        form.reject(None, problem.message)
        status = 422 if isinstance(problem, Rejected) else 409
        return await _removal(request, identity, service_id, addon_id, form, status=status)
    return go(request, "addons.service", service_id=service_id)


@post("/addons/{service_id:uuid}/held/{addon_id:uuid}/keep", name="addons.keep", status_code=200)
async def keep(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    addon_id: FromPath[UUID],
    identity: NamedDependency[Identity],
) -> Response[bytes]:
    await removing.keep(identity, service_id, addon_id)
    return go(request, "addons.service", service_id=service_id)


async def _shelf(desk: Desk, service_id: UUID, problem: str = "") -> Response[bytes]:
    shelf = await queries.offers_for(desk.identity.customer, service_id)
    return page(
        desk.request,
        "addons/service",
        status=409 if problem else 200,
        shelf=shelf,
        problem=problem,
        may_buy=desk.may_buy,
        may_remove=desk.identity.can(Right.BUY_ADDON) and not desk.identity.is_impersonating,
        now=clock.now(),
    )


async def _review(desk: Desk, quote: Quote, form: Form | None, *, status: int = 200) -> Response[bytes]:
    ways = await _ways(desk, quote)
    return page(
        desk.request,
        "addons/review",
        fragment="addons/_review",
        status=status,
        quote=quote,
        ways=ways,
        form=form if form is not None else _form(quote, ways.usual),
    )


async def _removal(
    request: Request[Any, Any, Any],
    identity: Identity,
    service_id: UUID,
    addon_id: UUID,
    form: Form,
    *,
    status: int = 200,
) -> Response[bytes]:
    held = await removing.find(identity.customer, service_id, addon_id)
    fee = held.leaving_fee(identity.customer.zone)
    return page(request, "addons/remove", status=status, held=held, fee=fee, form=form)


async def _ways(desk: Desk, quote: Quote) -> paying.Ways:
    return await paying.ways_to_pay(desk.identity, quote.price, today=clock.today(desk.settings.zone))


def _form(quote: Quote, choice: str) -> Form:
    return Form.empty(
        "save_card",
        "replace",
        "on",
        card=choice,
        start="now",
        product=str(quote.offer.id),
        version=str(quote.offer.version),
        shown=str(quote.price.minor),
    )


def _start(form: Form, identity: Identity) -> datetime | None:
    """The beginning of the chosen day; None for now. What is no date is noted in the form."""
    if form.choice("start", STARTS) != "later":
        return None
    day = form.day("on")
    if day is None:
        return None
    start = clock.midnight(day, identity.customer.zone)
    try:
        buying.check_start(start)
    except Rejected as problem:
        form.reject(problem.field, problem)
    return start


router = Router("/", route_handlers=[choose_service, choose_addon, review, buy, show_removal, remove, keep])
