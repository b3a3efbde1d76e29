"""Handlers of /topup/other."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, Rejected, Unavailable
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.orders import paying
from selfcare.portal.orders.order import find_by_request_key
from selfcare.portal.orders.shop import Shop
from selfcare.portal.topup.other import gifts
from selfcare.portal.topup.other.gifts import Receiver
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.errors import status_of
from selfcare.web.forms import Form
from selfcare.web.guards import ask_for_proof
from selfcare.web.pages import go, page


@get("/topup/other", name="topup.other")
async def ask(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return _page(request, identity, Form.empty("number", "amount"))


@post("/topup/other/review", name="topup.other.review", status_code=200)
async def review(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    form = await Form.read(request, "number", "amount")
    receiver, amount = await _found(form, identity, settings)
    if receiver is None or amount is None:
        return _page(request, identity, form, status=422)
    return await _review(request, identity, settings, receiver, amount, None)


@post("/topup/other", name="topup.other.buy", status_code=200)
async def buy(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "number", "amount", "card", "save_card")
    if known := await find_by_request_key(identity.customer.customer_id, form.request_key):
        return go(request, "orders.show", order_id=known.id)
    receiver, amount = await _found(form, identity, settings)
    if receiver is None or amount is None:
        return _page(request, identity, form, status=422)
    ways = await paying.ways_to_pay(identity, amount, today=clock.today(settings.zone), from_credit=False)
    choice = form.choice("card", ways.choices, _("Choose how to pay."))
    if choice is None:
        return await _review(request, identity, settings, receiver, amount, form, status=422)
    if await paying.needs_proof(identity, choice, amount, settings):
        await ask_for_proof(request)
    how = paying.how(choice, request_key=form.request_key, save_card=form.flag("save_card"))
    try:
        order = await gifts.buy(Shop.of(ports, settings), identity, receiver, amount, how)
    except (Rejected, Conflict, Unavailable, TooOften) as problem:
        form.reject("card" if isinstance(problem, Rejected) and problem.field == "card" else None, problem.message)
        status = status_of(problem)
        return await _review(request, identity, settings, receiver, amount, form, status=status)
    return go(request, "orders.show", order_id=order.id)


async def _found(form: Form, identity: Identity, settings: Settings) -> tuple[Receiver | None, Money | None]:
    """What is wrong is noted in the form."""
    amount = form.amount("amount", identity.customer.currency)
    number = form.phone("number", region=settings.region)
    if number is None:
        return None, amount
    try:
        receiver = await gifts.find(identity, number)
        if amount is not None:
            gifts.check(receiver, amount)
    except (Rejected, TooOften) as problem:
        form.reject(problem.field if isinstance(problem, Rejected) else "number", problem.message)
        return None, amount
    return receiver, amount


async def _review(
    request: Request[Any, Any, Any],
    identity: Identity,
    settings: Settings,
    receiver: Receiver,
    amount: Money,
    form: Form | None,
    *,
    status: int = 200,
) -> Response[bytes]:
    ways = await paying.ways_to_pay(identity, amount, today=clock.today(settings.zone), from_credit=False)
    filled = form or Form.empty("save_card", number=receiver.number, amount=amount.plain(), card=ways.usual)
    return _page(request, identity, filled, status=status, number=receiver.number, amount=amount, ways=ways)


def _page(
    request: Request[Any, Any, Any], identity: Identity, form: Form, *, status: int = 200, **found: Any
) -> Response[bytes]:
    return page(
        request,
        "topup/other/index",
        fragment="topup/other/_form",
        status=status,
        form=form,
        currency=identity.customer.currency,
        **({"ways": None, "number": "", "amount": None} | found),
    )


router = Router("/", route_handlers=[ask, review, buy])
