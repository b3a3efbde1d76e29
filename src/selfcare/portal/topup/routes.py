"""Handlers of /topup: which service, which top-up, look at it once more, pay."""

from __future__ import annotations

from dataclasses import dataclass
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
from selfcare.portal.orders import advances, counter, paying
from selfcare.portal.orders import order as orders
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.shop import Shop
from selfcare.portal.topup import buying, gains, queries
from selfcare.portal.topup.buying import Shown
from selfcare.portal.topup.promise import promises
from selfcare.portal.topup.promise.promises import Standing, Terms
from selfcare.portal.topup.queries import Quote
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.errors import status_of
from selfcare.web.forms import Form
from selfcare.web.guards import ask_for_proof
from selfcare.web.pages import go, page


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page here needs."""

    request: Request[Any, Any, Any]
    identity: Identity
    ports: Ports
    settings: Settings

    @property
    def may_buy(self) -> bool:
        grant = self.identity.grant
        return self.identity.can(Right.BUY_TOPUP) and (grant is None or "topup" in grant.allowed)


@get("/topup", name="topup")
async def choose_service(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "topup/index", targets=await queries.list_targets(identity.customer))


@get("/topup/{service_id:uuid}", name="topup.service")
async def choose_product(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    desk = Desk(request, identity, ports, settings)
    return await _shelf(desk, service_id, Form.empty("amount"))


@get("/topup/{service_id:uuid}/review", name="topup.review")
async def review(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    desk = Desk(request, identity, ports, settings)
    form = Form.query(request, "product", "amount")
    try:
        product_id = UUID(form["product"])
    except ValueError:
        return await _shelf(desk, service_id, Form.empty("amount"))
    try:
        quote = await queries.quote(identity.customer, service_id, product_id, _amount(form, identity))
        await counter.must_answer(ports.charging)
    except Rejected as problem:
        form.reject(problem.field, problem)
        return await _shelf(desk, service_id, form, status=422)
    except (Conflict, Unavailable) as problem:
        form.reject(None, problem.message)
        return await _shelf(desk, service_id, form, status=409 if isinstance(problem, Conflict) else 503)
    return await _review(desk, quote, None)


@post("/topup/{service_id:uuid}", name="topup.buy", status_code=200)
async def buy(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    desk = Desk(request, identity, ports, settings)
    form = await Form.read(request, "product", "version", "shown", "card", "save_card")
    product_id = form.uuid("product")
    if product_id is None:
        raise NotFound
    if known := await orders.find_by_request_key(identity.customer.customer_id, form.request_key):
        return go(request, "orders.show", order_id=known.id)
    shown = Shown(
        product_id, form.hidden_number("version"), Money(form.hidden_number("shown"), identity.customer.currency)
    )
    try:
        quote = await queries.quote(identity.customer, service_id, product_id, shown.price)
    except Rejected as problem:
        form.reject(problem.field, problem)
        return await _shelf(desk, service_id, form, status=422)
    except Conflict as problem:
        form.reject(None, problem.message)
        return await _shelf(desk, service_id, form, status=409)
    ways = await _ways(desk, quote)
    choice = form.choice("card", ways.choices, _("Choose how to pay."))
    if choice is None:
        return await _review(desk, quote, form, status=422)
    if await paying.needs_proof(identity, choice, quote.price, settings):
        await ask_for_proof(request)
    how = paying.how(choice, request_key=form.request_key, save_card=form.flag("save_card"))
    try:
        order = await buying.buy(Shop.of(ports, settings), identity, service_id, shown, how)
    except PriceChanged as changed:
        # Read anew: what is shown now is what the next press of the button pays.
        quote = await queries.quote(identity.customer, service_id, product_id, shown.price)
        fresh = _form(quote, choice)
        fresh.reject(None, changed.message)
        return await _review(desk, quote, fresh, status=409)
    except (Rejected, Conflict, Unavailable, TooOften) as problem:
        form.reject("card" if isinstance(problem, Rejected) and problem.field == "card" else None, problem.message)
        status = status_of(problem)
        return await _review(desk, quote, form, status=status)
    return go(request, "orders.show", order_id=order.id)


async def _shelf(desk: Desk, service_id: UUID, form: Form, *, status: int = 200) -> Response[bytes]:
    shelf = await queries.offers_for(desk.identity.customer, service_id)
    open_orders = await orders.under_way(desk.identity.customer, service_id)
    advance = await _advance(desk, service_id) if shelf.target.refusal is None else None
    return page(
        desk.request,
        "topup/service",
        status=status,
        shelf=shelf,
        form=form,
        may_buy=desk.may_buy,
        open_orders=open_orders,
        advance=advance,
        advance_terms=Terms.of(desk.settings) if advance else None,
    )


async def _advance(desk: Desk, service_id: UUID) -> Standing | None:
    """Credit in advance, for who may have it or owes for it."""
    scope = desk.identity.customer
    if "promise" not in context_of(desk.request).site.flags or scope.pays != "prepaid" or not desk.may_buy:
        return None
    try:
        found = await promises.standing(scope, desk.ports.charging, service_id, Terms.of(desk.settings))
    except (NotFound, Unavailable):
        return None
    return found if found.may_borrow or found.owed else None


async def _review(desk: Desk, quote: Quote, form: Form | None, *, status: int = 200) -> Response[bytes]:
    ways = await _ways(desk, quote)
    scope = desk.identity.customer
    owed = await advances.find_owed(scope.customer_id) if quote.offer.puts_money else None
    repays = min(owed.amount, quote.price) if owed and not owed.is_coming else None
    return page(
        desk.request,
        "topup/review",
        fragment="topup/_review",
        status=status,
        quote=quote,
        gains=await gains.gains_of(scope, desk.ports.charging, quote, clock.now(), repays=repays),
        repays=repays,
        ways=ways,
        form=form if form is not None else _form(quote, ways.usual),
    )


async def _ways(desk: Desk, quote: Quote) -> paying.Ways:
    today = clock.today(desk.settings.zone)
    return await paying.ways_to_pay(desk.identity, quote.price, today=today, from_credit=not quote.offer.puts_money)


def _form(quote: Quote, choice: str) -> Form:
    return Form.empty(
        "save_card",
        card=choice,
        product=str(quote.offer.id),
        version=str(quote.offer.version),
        shown=str(quote.price.minor),
    )


def _amount(form: Form, identity: Identity) -> Money | None:
    """What was typed for a free amount. What is no amount is as good as none: the rule has the words for both."""
    reading = Form({"amount": form["amount"]})
    return reading.amount("amount", identity.customer.currency)


router = Router("/", route_handlers=[choose_service, choose_product, review, buy])
