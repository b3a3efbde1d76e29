"""Handlers of /quick-topup: a number, the code sent to it, what to add, pay by card, and how far it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.limits import TooOften
from selfcare.identity.text_codes import StartAgain, WrongCode
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, Rejected, Unavailable
from selfcare.kernel.money import Money
from selfcare.portal.orders import credit_notes, orders
from selfcare.portal.orders import order as reading
from selfcare.portal.orders import words as order_words
from selfcare.portal.orders.counter import PriceChanged
from selfcare.portal.orders.order import Order, State
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments, receipts
from selfcare.portal.pay import words as pay_words
from selfcare.portal.quick_topup import buying, visits
from selfcare.portal.quick_topup.buying import DAYS, Asked, DayPrice, Pick, Shown
from selfcare.portal.quick_topup.visits import Door
from selfcare.portal.services import addresses
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web import links
from selfcare.web.context import context_of
from selfcare.web.errors import status_of
from selfcare.web.forms import Form
from selfcare.web.pages import as_download, go, page

# Nothing of this is for search engines but the first page.
PRIVATE = {"X-Robots-Tag": "noindex, nofollow"}
USUAL_DAYS = 7


@get("/quick-topup", name="quick_topup")
async def show_number(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    return await _number_page(request, settings, Form.empty("phone"))


@post("/quick-topup", name="quick_topup.ask_code", status_code=200)
async def ask_code(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    ctx = context_of(request)
    form = await Form.read(request, "phone")
    number = form.phone("phone", region=settings.region)
    if number is None:
        return await _number_page(request, settings, form, status=422)
    token = await visits.ask(number, ctx.origin, key=settings.keys.link, jobs=ports.jobs)
    links.keep(request, token)
    return go(request, "quick_topup.code")


@post("/quick-topup/here", name="quick_topup.here", status_code=200)
async def enter(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    """For the line that this very address belongs to, as the network says."""
    await Form.read(request)
    origin = context_of(request).origin
    token = await visits.enter(origin, settings.subscriber_ranges, key=settings.keys.link)
    if token is None:
        return go(request, "quick_topup")
    links.keep(request, token)
    return go(request, "quick_topup.choose")


@get("/quick-topup/code", name="quick_topup.code")
async def show_code(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "quick_topup/code", headers=PRIVATE, form=Form.empty("code"))


@post("/quick-topup/code", name="quick_topup.answer", status_code=200)
async def answer(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    form = await Form.read(request, "code")
    origin = context_of(request).origin
    try:
        await visits.prove(links.token_of(request), form["code"], origin, key=settings.keys.link)
    except (WrongCode, StartAgain) as problem:
        form.reject(problem.field, problem)
        return page(request, "quick_topup/code", fragment="quick_topup/_code", status=422, headers=PRIVATE, form=form)
    return go(request, "quick_topup.choose")


@get("/quick-topup/choose", name="quick_topup.choose")
async def choose(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    door = await _door(request, settings)
    if door is None:
        return go(request, "quick_topup")
    if await visits.bought_with(door):
        return go(request, "quick_topup.order")
    return await _shelf(request, settings, door, Form.empty("amount", DAYS))


@get("/quick-topup/review", name="quick_topup.review")
async def review(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    door = await _door(request, settings)
    if door is None:
        return go(request, "quick_topup")
    if await visits.bought_with(door):
        return go(request, "quick_topup.order")
    form = Form.query(request, "product", "amount", DAYS, "slider")
    # The number field counts where it is filled: without a script the slider says nothing of what it stands at.
    form.values[DAYS] = form[DAYS].strip() or form["slider"]
    try:
        pick = await buying.pick(door, _asked(form, door), DayPrice.of(settings))
    except Rejected as problem:
        form.reject(problem.field, problem)
        return await _shelf(request, settings, door, form, status=422)
    except Conflict as problem:
        form.reject(None, problem.message)
        return await _shelf(request, settings, door, form, status=409)
    return _review(request, door, pick, _form(pick))


@post("/quick-topup/buy", name="quick_topup.buy", status_code=200)
async def buy(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    door = await _door(request, settings)
    if door is None:
        return go(request, "quick_topup")
    form = await Form.read(request, "product", "amount", DAYS, "version", "shown", "payer", "email")
    day = DayPrice.of(settings)
    payer, email = form.text("payer", most=100), form.email()
    try:
        pick = await buying.pick(door, _asked(form, door), day)
        if payer is None or email is None:
            return _review(request, door, pick, form, status=422)
        price = Money(form.hidden_number("shown"), pick.price.currency)
        shown = Shown(_asked(form, door), form.hidden_number("version"), price, email, payer)
        origin, shop = context_of(request).origin, Shop.of(ports, settings)
        await buying.buy(shop, door, origin, shown, day, request_key=form.request_key)
    except PriceChanged as changed:
        # Read anew: what is shown now is what the next press of the button pays.
        pick = await buying.pick(door, _asked(form, door), day)
        fresh = _form(pick, payer=form["payer"], email=form["email"])
        fresh.reject(None, changed.message)
        return _review(request, door, pick, fresh, status=409)
    except (Rejected, Conflict, Unavailable, TooOften) as problem:
        form.reject(problem.field if isinstance(problem, Rejected) else None, problem.message)
        status = status_of(problem)
        return await _shelf(request, settings, door, form, status=status)
    return go(request, "quick_topup.order")


@get("/quick-topup/order", name="quick_topup.order")
async def show_order(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    if moved := links.moved(request, "quick_topup.order"):
        moved.headers.update(PRIVATE)
        return moved
    order = await _looked_at(request, Shop.of(ports, settings), settings)
    return _dead(request) if order is None else await _standing(request, order)


@get("/quick-topup/order/state", name="quick_topup.state")
async def show_state(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    """For the open page: nothing while nothing has changed."""
    order = await _looked_at(request, Shop.of(ports, settings), settings)
    if order is None:
        return _dead(request)
    if request.query_params.get("was") == order.state.value:
        return Response(b"", status_code=204)
    return await _standing(request, order)


@get("/quick-topup/order/receipt", name="quick_topup.receipt")
async def download_receipt(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    order = await _order(request, settings)
    if order is None or order.payment_id is None:
        return _dead(request)
    paper = await receipts.guest_receipt(
        await payments.load(order.payment_id),
        address=context_of(request).origin.address,
        operator=settings.operator,
        simulated=settings.payments == "embedded",
        zone=settings.zone,
    )
    return as_download(paper.name, paper.body, "application/pdf")


@get("/quick-topup/order/credit-note", name="quick_topup.credit_note")
async def download_credit_note(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    order = await _order(request, settings)
    if order is None or order.state is not State.REFUNDED:
        return _dead(request)
    paper = await credit_notes.fetch_paper(
        order,
        operator=settings.operator,
        simulated=settings.payments == "embedded",
        asker=context_of(request).origin.address,
        is_stranger=True,
    )
    return as_download(paper.name, paper.body, "application/pdf")


@get("/quick-topup/{payment_id:uuid}/return", name="quick_topup.return")
async def come_back(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    settings: NamedDependency[Settings],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    """From the gateway or the bank. Nothing in this address is believed: the gateway is asked."""
    order = await _order(request, settings)
    if order is None or order.payment_id != payment_id:
        return _dead(request)
    shop = Shop.of(ports, settings)
    await payments.look(shop.till, payment_id)
    await orders.advance(shop, order.id)
    return go(request, "quick_topup.order")


@post("/quick-topup/order/cancel", name="quick_topup.cancel", status_code=200)
async def cancel(
    request: Request[Any, Any, Any], settings: NamedDependency[Settings], ports: NamedDependency[Ports]
) -> Response[bytes]:
    await Form.read(request)
    order = await _order(request, settings)
    if order is None or order.payment_id is None:
        return _dead(request)
    shop = Shop.of(ports, settings)
    await payments.give_up(shop.till, order.payment_id)
    await orders.advance(shop, order.id)
    return go(request, "quick_topup.order")


async def _number_page(
    request: Request[Any, Any, Any], settings: Settings, form: Form, *, status: int = 200
) -> Response[bytes]:
    line = await addresses.line_at(context_of(request).origin.address, settings.subscriber_ranges)
    return page(
        request,
        "quick_topup/index",
        fragment="quick_topup/_number",
        status=status,
        headers={"Cache-Control": "no-store, private"},
        form=form,
        known=line is not None,
    )


async def _door(request: Request[Any, Any, Any], settings: Settings) -> Door | None:
    return await visits.door_of(links.token_of(request), key=settings.keys.link)


async def _order(request: Request[Any, Any, Any], settings: Settings) -> Order | None:
    visit = await visits.find_bought(links.token_of(request), key=settings.keys.link)
    return await reading.load(visit.order_id) if visit is not None and visit.order_id is not None else None


async def _looked_at(request: Request[Any, Any, Any], shop: Shop, settings: Settings) -> Order | None:
    """As it is, after a look at the gateway while it waits for its money."""
    order = await _order(request, settings)
    if order is None or order.state is not State.OPEN or order.payment_id is None:
        return order
    wait = timedelta(seconds=order_words.ask_again_after(order, clock.now()))
    await payments.look(shop.till, order.payment_id, every=wait)
    return await orders.advance(shop, order.id)


async def _shelf(
    request: Request[Any, Any, Any], settings: Settings, door: Door, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "quick_topup/choose",
        status=status,
        headers=PRIVATE,
        number=door.number,
        shelf=await buying.shelf(door),
        form=form,
        day=DayPrice.of(settings),
        most_days=buying.MOST_DAYS,
        usual_days=USUAL_DAYS,
    )


def _review(
    request: Request[Any, Any, Any], door: Door, pick: Pick, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "quick_topup/review",
        fragment="quick_topup/_review",
        status=status,
        headers=PRIVATE,
        number=door.number,
        pick=pick,
        form=form,
    )


async def _standing(request: Request[Any, Any, Any], order: Order) -> Response[bytes]:
    now = clock.now()
    order = replace(order, steps=tuple(await reading.steps_of(order.id)))
    payment = await payments.load(order.payment_id) if order.payment_id else None
    is_unpaid = order.state in (State.OPEN, State.CANCELED)
    return page(
        request,
        "quick_topup/order",
        fragment="quick_topup/_order",
        headers=PRIVATE,
        order=order,
        payment=payment,
        notes=await credit_notes.find([order.id] if order.state is State.REFUNDED else []),
        standing=pay_words.standing(payment) if payment and is_unpaid else order_words.standing(order, now),
        life=order_words.life_line(order),
        seconds=order_words.ask_again_after(order, now),
    )


def _dead(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "quick_topup/dead", status=404, headers=PRIVATE)


def _asked(form: Form, door: Door) -> Asked:
    """What is no amount or number is as good as none: the rule has the words for both."""
    reading_it = Form({"amount": form["amount"], DAYS: form[DAYS]})
    amount = reading_it.amount("amount", door.scope.currency) if form["amount"].strip() else None
    days = reading_it.whole(DAYS, least=1, most=buying.MOST_DAYS) if form["product"] == DAYS else None
    return Asked(form["product"], amount, days)


def _form(pick: Pick, *, payer: str = "", email: str = "") -> Form:
    return Form.empty(
        product=pick.key,
        amount=pick.price.plain() if pick.days is None else "",
        days=str(pick.days or ""),
        version=str(pick.version),
        shown=str(pick.price.minor),
        payer=payer,
        email=email,
    )


router = Router(
    "/",
    route_handlers=[
        show_number,
        ask_code,
        enter,
        show_code,
        answer,
        choose,
        review,
        buy,
        show_order,
        show_state,
        download_receipt,
        download_credit_note,
        come_back,
        cancel,
    ],
)
