"""Handlers of /bundles: look at one, choose a service for each part, pay once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotAllowed, NotFound, Rejected, Unavailable
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.bundles import buying, queries
from selfcare.portal.bundles.buying import Shown
from selfcare.portal.bundles.queries import Bundle
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

MOST_PARTS = 8
PLACES = tuple(f"service_{place}" for place in range(MOST_PARTS))
FIELDS = ("product", "mark", "shown", "card", "save_card", *PLACES)


@get("/bundles/review", name="bundles.review")
async def review(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    try:
        bundle = await queries.get(identity.customer, UUID(request.query_params.get("product", "")))
    except ValueError:
        return go(request, "addons")
    return await _review(request, identity, settings, bundle, None)


@post("/bundles", name="bundles.buy", status_code=200)
async def buy(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, *FIELDS)
    bundle_id = form.uuid("product")
    if bundle_id is None:
        raise NotFound
    if known := await orders.find_by_request_key(identity.customer.customer_id, form.request_key):
        return go(request, "orders.show", order_id=known.id)
    bundle = await queries.get(identity.customer, bundle_id)
    if not buying.may_buy(identity, bundle):
        raise NotAllowed(_("Your role or this visit does not allow all that is in it."))
    chosen = {
        part.place: form.choice(buying.field(part), [str(line.id) for line in part.lines]) for part in bundle.parts
    }
    ways = await _ways(identity, settings, bundle)
    choice = form.choice("card", ways.choices, _("Choose how to pay."))
    if choice is None or not form:
        return await _review(request, identity, settings, bundle, form, status=422)
    if await paying.needs_proof(identity, choice, bundle.price, settings):
        await ask_for_proof(request)
    price = Money(form.hidden_number("shown"), bundle.price.currency)
    services = {place: UUID(id) for place, id in chosen.items() if id is not None}
    how = paying.how(choice, request_key=form.request_key, save_card=form.flag("save_card"))
    try:
        order = await buying.buy(
            Shop.of(ports, settings), identity, Shown(bundle_id, form["mark"], price, services), how
        )
    except PriceChanged as changed:
        # Read anew: what is shown now is what the next press of the button pays.
        fresh = _form(bundle, services, choice)
        fresh.reject(None, changed.message)
        return await _review(request, identity, settings, bundle, fresh, status=409)
    except (Rejected, Conflict, Unavailable, TooOften) as problem:
        field = problem.field if isinstance(problem, Rejected) and problem.field in FIELDS else None
        form.reject(field, problem.message)
        status = status_of(problem)
        return await _review(request, identity, settings, bundle, form, status=status)
    return go(request, "orders.show", order_id=order.id)


async def _review(
    request: Request[Any, Any, Any],
    identity: Identity,
    settings: Settings,
    bundle: Bundle,
    form: Form | None,
    *,
    status: int = 200,
) -> Response[bytes]:
    ways = await _ways(identity, settings, bundle)
    if form is None:
        form = _form(bundle, await buying.first_fit(identity.customer, bundle), ways.usual)
    return page(
        request,
        "bundles/review",
        fragment="bundles/_review",
        status=status,
        bundle=bundle,
        ways=ways,
        form=form,
    )


async def _ways(identity: Identity, settings: Settings, bundle: Bundle) -> paying.Ways:
    return await paying.ways_to_pay(identity, bundle.price, today=clock.today(settings.zone))


def _form(bundle: Bundle, chosen: dict[int, UUID], choice: str) -> Form:
    places = {buying.field(part): str(chosen.get(part.place, "")) for part in bundle.parts}
    return Form.empty(
        "save_card",
        card=choice,
        product=str(bundle.id),
        mark=bundle.mark,
        shown=str(bundle.price.minor),
        **places,
    )


router = Router("/", route_handlers=[review, buy])
