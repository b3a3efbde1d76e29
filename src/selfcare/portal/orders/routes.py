"""Handlers of /orders: what was bought, and how far each of it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import CustomerScope, Identity
from selfcare.kernel import clock
from selfcare.portal.orders import credit_notes, orders, words
from selfcare.portal.orders import order as reading
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.parts import parts_of, parts_of_each
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments
from selfcare.portal.pay import words as pay_words
from selfcare.portal.services import queries as services
from selfcare.portal.usage.allowances import Allowance, line_scope, summarise
from selfcare.ports.charging import Charging
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.pages import as_download, go, page

AT_ONCE = 25


@get("/orders", name="orders")
async def list_all(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    asked = _moment(request.query_params.get("before", ""))
    found = await reading.latest(identity.customer, before=asked or clock.now() + timedelta(days=1), most=AT_ONCE + 1)
    parts = await parts_of_each([order.id for order in found if order.kind is Kind.BUNDLE])
    rows = [(order, words.standing(order, clock.now(), parts.get(order.id, ()))) for order in found[:AT_ONCE]]
    older = rows[-1][0].created_at.isoformat() if len(found) > AT_ONCE else ""
    return page(request, "orders/index", rows=rows, older=older, is_first=asked is None)


@get("/orders/{order_id:uuid}", name="orders.show")
async def show(
    request: Request[Any, Any, Any],
    order_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    order = await _looked_at(identity, Shop.of(ports, settings), order_id)
    if order.parent_id is not None:
        return go(request, "orders.show", order_id=order.parent_id)
    return await _standing(request, identity.customer, ports.charging, order, base=settings.data_base)


@get("/orders/{order_id:uuid}/state", name="orders.state")
async def show_state(
    request: Request[Any, Any, Any],
    order_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """For the open page: nothing while nothing has changed."""
    order = await _looked_at(identity, Shop.of(ports, settings), order_id)
    if request.query_params.get("was") == words.mark(order, await parts_of(order.id)):
        return Response(b"", status_code=204)
    return await _standing(request, identity.customer, ports.charging, order, base=settings.data_base)


@get("/orders/{order_id:uuid}/credit-note", name="orders.credit_note")
async def download_credit_note(
    order_id: FromPath[UUID], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    paper = await credit_notes.fetch_paper(
        await reading.get(identity.customer, order_id),
        operator=settings.operator,
        simulated=settings.payments == "embedded",
        asker=str(identity.actor_id),
        is_stranger=False,
    )
    return as_download(paper.name, paper.body, "application/pdf")


async def _looked_at(identity: Identity, shop: Shop, order_id: UUID) -> Order:
    """As it is, after a look at the gateway while it waits for its money."""
    order = await reading.get(identity.customer, order_id)
    if order.state is not State.OPEN or order.payment_id is None or identity.is_impersonating:
        return order
    wait = timedelta(seconds=words.ask_again_after(order, clock.now()))
    await payments.look(shop.till, order.payment_id, every=wait)
    await orders.advance(shop, order_id)
    return await reading.get(identity.customer, order_id)


async def _standing(
    request: Request[Any, Any, Any], scope: CustomerScope, charging: Charging, order: Order, *, base: int
) -> Response[bytes]:
    now = clock.now()
    # Until it is paid, and where it was not, the payment has more to say.
    is_unpaid = order.state in (State.OPEN, State.CANCELED)
    payment = await payments.load(order.payment_id) if is_unpaid and order.payment_id else None
    parts = await parts_of(order.id) if order.kind is Kind.BUNDLE else []
    notes = await credit_notes.find([one.id for one in (order, *parts) if one.state is State.REFUNDED])
    names = {each.id: each.name for each in await services.list_names(scope)} if parts else {}
    is_own = order.service_id is not None and order.owner_id is None and scope.covers(order.service_id)
    return page(
        request,
        "orders/show",
        fragment="orders/_order",
        event="balance-changed" if order.state is State.DELIVERED else None,
        order=order,
        payment=payment,
        parts=[(part, names.get(part.service_id) if part.service_id else None) for part in parts],
        mark=words.mark(order, parts),
        standing=pay_words.standing(payment) if payment else words.standing(order, now, parts),
        base=base,
        life=words.life_line(order, parts),
        seconds=words.ask_again_after(order, now),
        notes=[(note, credit_notes.whereto(note)) for note in notes if not note.of_stranger],
        service=await services.get_service(scope, order.service_id, now) if is_own and order.service_id else None,
        now_left=await _now_left(scope, charging, order, now) if is_own else [],
    )


async def _now_left(scope: CustomerScope, charging: Charging, order: Order, now: datetime) -> list[Allowance]:
    """What there is now on each line of the usage page that it has added to."""
    if order.state is not State.DELIVERED or order.service_id is None:
        return []
    added_to = {(put["kind"], line_scope(put["scope"])) for put in order.delivers.get("puts", ())}
    balances = await charging.balances(scope, [order.service_id])
    lines = summarise(balances.of(order.service_id), balances.grants, now)
    return [line for line in lines if (line.kind, line.scope) in added_to]


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


router = Router("/", route_handlers=[list_all, show, show_state, download_credit_note])
