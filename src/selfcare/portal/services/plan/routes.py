"""Handlers of /services/{id}/plan: which plan, look at it once more, pay or have it wait, and keep the present one."""

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
from selfcare.portal.orders import order as orders
from selfcare.portal.orders import paying
from selfcare.portal.orders.shop import Shop
from selfcare.portal.services.plan import changing, queries, scheduling
from selfcare.portal.services.plan.changing import QuoteChanged, Shown
from selfcare.portal.services.plan.queries import Quote
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.errors import status_of
from selfcare.web.forms import Form
from selfcare.web.guards import ask_for_proof
from selfcare.web.pages import go, page

FIELDS = ("product", "version", "due", "price", "day", "card", "save_card")
ACTING = "plan"


@dataclass(frozen=True, slots=True)
class Desk:
    """What every page here needs."""

    request: Request[Any, Any, Any]
    identity: Identity
    ports: Ports
    settings: Settings

    @property
    def shop(self) -> Shop:
        return Shop.of(self.ports, self.settings)

    @property
    def may_change(self) -> bool:
        """At once; what waits for the end of the period is the customer's own act."""
        grant = self.identity.grant
        return self.identity.can(Right.CHANGE_OWN_SERVICES) and (grant is None or ACTING in grant.allowed)

    async def quote(self, service_id: UUID, product_id: UUID) -> Quote:
        least = changing.least(self.shop, self.identity)
        return await queries.quote(self.identity.customer, service_id, product_id, least=least)

    async def ways(self, quote: Quote) -> paying.Ways:
        return await paying.ways_to_pay(self.identity, quote.due, today=clock.today(self.settings.zone))


@get("/services/{service_id:uuid}/plan", name="services.plan")
async def choose(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _choice(Desk(request, identity, ports, settings), service_id)


@get("/services/{service_id:uuid}/plan/review", name="services.plan.review")
async def review(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    desk = Desk(request, identity, ports, settings)
    try:
        product_id = UUID(request.query_params.get("product", ""))
    except ValueError:
        return await _choice(desk, service_id)
    try:
        quote = await desk.quote(service_id, product_id)
    except Conflict as problem:
        return await _choice(desk, service_id, problem.message)
    return await _review(desk, quote, None)


@post("/services/{service_id:uuid}/plan", name="services.plan.change", status_code=200)
async def change(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    desk = Desk(request, identity, ports, settings)
    form = await Form.read(request, *FIELDS)
    if known := await orders.find_by_request_key(identity.customer.customer_id, form.request_key):
        return go(request, "orders.show", order_id=known.id)
    shown = _shown(form, identity)
    try:
        quote = await desk.quote(service_id, shown.product_id)
    except Conflict as problem:
        return await _choice(desk, service_id, problem.message)
    how = paying.how(paying.CREDIT, request_key=form.request_key)
    if quote.due:
        choice = form.choice("card", (await desk.ways(quote)).choices, _("Choose how to pay."))
        if choice is None:
            return await _review(desk, quote, form, status=422)
        if await paying.needs_proof(identity, choice, quote.due, settings):
            await ask_for_proof(request)
        how = paying.how(choice, request_key=form.request_key, save_card=form.flag("save_card"))
    try:
        order = await changing.change(desk.shop, identity, service_id, shown, how)
    except (Rejected, Conflict, Unavailable, TooOften) as problem:
        return await _again(desk, service_id, form, problem)
    return go(request, "orders.show", order_id=order.id)


@post("/services/{service_id:uuid}/plan/schedule", name="services.plan.schedule", status_code=200)
async def schedule(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    desk = Desk(request, identity, ports, settings)
    form = await Form.read(request, *FIELDS)
    try:
        await scheduling.schedule(desk.shop, identity, service_id, _shown(form, identity), form.request_key)
    except Conflict as problem:
        return await _again(desk, service_id, form, problem)
    return go(request, "services.plan", service_id=service_id)


@post("/services/{service_id:uuid}/plan/keep", name="services.plan.keep", status_code=200)
async def keep(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    try:
        await scheduling.take_back(identity, service_id)
    except Conflict as problem:
        return await _choice(Desk(request, identity, ports, settings), service_id, problem.message)
    return go(request, "services.plan", service_id=service_id)


async def _choice(desk: Desk, service_id: UUID, problem: str = "") -> Response[bytes]:
    choice = await queries.plans_for(desk.identity.customer, service_id)
    return page(
        desk.request,
        "services/plan/index",
        status=409 if problem else 200,
        current=choice.current,
        options=choice.options,
        problem=problem,
        may_change=desk.may_change,
        may_wait=desk.identity.can(Right.CHANGE_OWN_SERVICES) and not desk.identity.is_impersonating,
    )


async def _review(desk: Desk, quote: Quote, form: Form | None, *, status: int = 200) -> Response[bytes]:
    ways = await desk.ways(quote)
    return page(
        desk.request,
        "services/plan/review",
        fragment="services/plan/_review",
        status=status,
        quote=quote,
        current=quote.current,
        plan=quote.plan,
        ways=ways,
        form=form if form is not None else _form(quote, ways.usual),
        base=desk.settings.data_base,
    )


async def _again(desk: Desk, service_id: UUID, form: Form, problem: Exception) -> Response[bytes]:
    """Nothing was charged or booked: the same page with why, or the list where this plan cannot be had any more."""
    assert isinstance(problem, Rejected | Conflict | Unavailable | TooOften)
    product_id = form.uuid("product")
    try:
        quote = await desk.quote(service_id, product_id) if product_id else None
    except Conflict as gone:
        return await _choice(desk, service_id, gone.message)
    if quote is None:
        return await _choice(desk, service_id, problem.message)
    if isinstance(problem, QuoteChanged):
        # Read anew: what is shown now is what the next press of the button pays.
        form = _form(quote, form["card"] or (await desk.ways(quote)).usual)
    form.reject(problem.field if isinstance(problem, Rejected) and problem.field in FIELDS else None, problem.message)
    status = status_of(problem)
    return await _review(desk, quote, form, status=status)


def _form(quote: Quote, choice: str) -> Form:
    return Form.empty(
        "save_card",
        card=choice,
        product=str(quote.plan.id),
        version=str(quote.plan.version),
        due=str(quote.due.minor),
        price=str(quote.plan.price.minor),
        day=quote.day.isoformat(),
    )


def _shown(form: Form, identity: Identity) -> Shown:
    product_id = form.uuid("product")
    if product_id is None:
        raise NotFound
    due, price = (Money(form.hidden_number(name), identity.customer.currency) for name in ("due", "price"))
    return Shown(product_id, form.hidden_number("version"), due, price, form.day("day"))


router = Router("/", route_handlers=[choose, review, change, schedule, keep])
