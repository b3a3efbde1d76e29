"""Handlers of /pay/guests and /pay/bill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.audit import log as audit
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.money import Money
from selfcare.portal.billing import queries as billing
from selfcare.portal.pay import payments, receipts, words
from selfcare.portal.pay.guests import links
from selfcare.portal.pay.guests.links import Dead, GuestBill
from selfcare.portal.pay.payments import BillPart, How, OnItsWay, Payment
from selfcare.portal.pay.till import Till
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web import links as web_links
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import as_download, go, page

# Nothing of this is for search engines.
PRIVATE = {"X-Robots-Tag": "noindex, nofollow"}


@get("/pay/guests/{invoice_id:uuid}", name="pay.links")
async def show_links(
    request: Request[Any, Any, Any],
    invoice_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _links_page(request, identity, settings, invoice_id, Form.empty())


@post("/pay/guests/{invoice_id:uuid}", name="pay.make_link", status_code=200)
async def make_link(
    request: Request[Any, Any, Any],
    invoice_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request)
    token = None
    try:
        token = await links.make(identity, invoice_id, request_key=form.request_key, key=settings.keys.link)
    except Rejected as problem:
        form.reject(None, problem)
    address = settings.public_url + context_of(request).url("pay.guest", token=token) if token else ""
    status = 200 if form else 422
    return await _links_page(request, identity, settings, invoice_id, form, made=address, status=status)


@post("/pay/guests/{link_id:uuid}/revoke", name="pay.revoke_link", status_code=200)
async def revoke_link(
    request: Request[Any, Any, Any], link_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    return go(request, "pay.links", invoice_id=await links.revoke(identity, link_id))


@get("/pay/bill", name="pay.guest")
async def show_bill(
    request: Request[Any, Any, Any], ports: NamedDependency[Ports], settings: NamedDependency[Settings]
) -> Response[bytes]:
    if moved := web_links.moved(request, "pay.guest"):
        moved.headers.update(PRIVATE)
        return moved
    try:
        bill = await _bill(request, settings)
    except Dead:
        return _dead(request)
    other = await payments.find_open(bill.customer_id, bill.invoice_id)
    if other is not None and other.guest_link_id == bill.link_id:
        return go(request, "pay.guest.show", payment_id=other.id)
    return _bill_page(request, bill, _form(bill), busy=other is not None)


@post("/pay/bill", name="pay.guest.start", status_code=200)
async def start(
    request: Request[Any, Any, Any], ports: NamedDependency[Ports], settings: NamedDependency[Settings]
) -> Response[bytes]:
    form = await Form.read(request, "email", "shown")
    till = Till.of(ports, settings)
    try:
        visit = await _visit(request, settings)
        known = await payments.find_by_request_key(visit.customer_id, form.request_key)
        if known is not None and known.guest_link_id == visit.link_id:
            return go(request, "pay.guest.show", payment_id=known.id)
        bill = await _bill(request, settings)
    except Dead:
        return _dead(request)
    email = form.email() if form["email"].strip() else None
    if not form:
        return _bill_page(request, bill, form, status=422)
    try:
        payment = await _start(request, till, bill, form, email)
    except OnItsWay:
        return _bill_page(request, bill, form, busy=True, status=409)
    except Rejected as problem:
        form.reject(None, problem)
        return _bill_page(request, bill, form, status=422)
    except Conflict as changed:
        return await _changed(request, settings, form, changed)
    return go(request, "pay.guest.show", payment_id=payment.id)


@get("/pay/bill/{payment_id:uuid}", name="pay.guest.show")
async def show_payment(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    try:
        payment = await _payment(request, settings, payment_id)
    except Dead:
        return _dead(request)
    return _standing(request, await _looked_at(Till.of(ports, settings), payment))


@get("/pay/bill/{payment_id:uuid}/state", name="pay.guest.state")
async def show_state(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """For the open page: nothing while nothing has changed."""
    try:
        payment = await _payment(request, settings, payment_id)
    except Dead:
        return _dead(request)
    payment = await _looked_at(Till.of(ports, settings), payment)
    if request.query_params.get("was") == payment.state.value:
        return Response(b"", status_code=204)
    return _standing(request, payment)


@get("/pay/bill/{payment_id:uuid}/receipt", name="pay.guest.receipt")
async def download_receipt(
    request: Request[Any, Any, Any], payment_id: FromPath[UUID], settings: NamedDependency[Settings]
) -> Response[bytes]:
    try:
        payment = await _payment(request, settings, payment_id)
    except Dead:
        return _dead(request)
    paper = await receipts.guest_receipt(
        payment,
        address=context_of(request).origin.address,
        operator=settings.operator,
        simulated=settings.payments == "embedded",
        zone=settings.zone,
    )
    return as_download(paper.name, paper.body, "application/pdf")


@get("/pay/bill/{payment_id:uuid}/return", name="pay.guest.return")
async def come_back(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """From the gateway or the bank. Nothing in this address is believed: the gateway is asked."""
    try:
        payment = await _payment(request, settings, payment_id)
    except Dead:
        return _dead(request)
    await payments.look(Till.of(ports, settings), payment.id)
    return go(request, "pay.guest.show", payment_id=payment_id)


@post("/pay/bill/{payment_id:uuid}/cancel", name="pay.guest.cancel", status_code=200)
async def cancel(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    await Form.read(request)
    try:
        payment = await _payment(request, settings, payment_id)
    except Dead:
        return _dead(request)
    await payments.give_up(Till.of(ports, settings), payment.id)
    return go(request, "pay.guest.show", payment_id=payment_id)


async def _start(
    request: Request[Any, Any, Any], till: Till, bill: GuestBill, form: Form, email: str | None
) -> Payment:
    """By a new card that nobody keeps; the customer's credit is not a guest's to spend."""
    who = audit.visitor(context_of(request).origin, customer_id=bill.customer_id)
    how = How(
        request_key=form.request_key,
        use_credit=False,
        guest_link_id=bill.link_id,
        shown=Money(form.hidden_number("shown"), bill.remaining.currency),
    )
    payment = await payments.start_bills(till, who, [BillPart(bill.invoice_id)], how)
    if email is not None:
        await links.send_receipt_to(payment.id, email)
    return await payments.submit(till, payment.id)


async def _changed(
    request: Request[Any, Any, Any], settings: Settings, form: Form, changed: Conflict
) -> Response[bytes]:
    """Read anew: what is shown now is what the next press of the button pays."""
    try:
        bill = await _bill(request, settings)
    except Dead:
        return _dead(request)
    fresh = _form(bill, email=form["email"])
    fresh.reject(None, changed.message)
    return _bill_page(request, bill, fresh, status=409)


@dataclass(frozen=True, slots=True)
class Visit:
    link_id: UUID
    customer_id: UUID


async def _visit(request: Request[Any, Any, Any], settings: Settings) -> Visit:
    """Whose link this browser holds, dead or alive."""
    return Visit(*await links.link_of(web_links.token_of(request), key=settings.keys.link))


async def _bill(request: Request[Any, Any, Any], settings: Settings) -> GuestBill:
    token, address = web_links.token_of(request), context_of(request).origin.address
    if not token:
        raise Dead
    return await links.open_bill(token, address=address, key=settings.keys.link)


async def _payment(request: Request[Any, Any, Any], settings: Settings, payment_id: UUID) -> Payment:
    visit = await _visit(request, settings)
    try:
        payment = await payments.get(visit, payment_id)
    except NotFound:
        raise Dead from None
    if payment.guest_link_id != visit.link_id:
        raise Dead
    return payment


async def _looked_at(till: Till, payment: Payment) -> Payment:
    if not payment.is_open:
        return payment
    wait = timedelta(seconds=words.ask_again_after(payment, clock.now()))
    return await payments.look(till, payment.id, every=wait)


def _form(bill: GuestBill, *, email: str = "") -> Form:
    return Form.empty(email=email, shown=str(bill.remaining.minor))


def _bill_page(
    request: Request[Any, Any, Any], bill: GuestBill, form: Form, *, busy: bool = False, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "pay/guests/bill",
        fragment="pay/guests/_bill",
        status=status,
        headers=PRIVATE,
        bill=bill,
        form=form,
        busy=busy,
    )


def _standing(request: Request[Any, Any, Any], payment: Payment) -> Response[bytes]:
    return page(
        request,
        "pay/guests/show",
        fragment="pay/guests/_state",
        headers=PRIVATE,
        payment=payment,
        standing=words.standing(payment),
        paid_by=words.paid_by(payment),
        seconds=words.ask_again_after(payment, clock.now()),
    )


def _dead(request: Request[Any, Any, Any]) -> Response[bytes]:
    return page(request, "pay/guests/dead", status=404, headers=PRIVATE)


async def _links_page(
    request: Request[Any, Any, Any],
    identity: Identity,
    settings: Settings,
    invoice_id: UUID,
    form: Form,
    *,
    made: str = "",
    status: int = 200,
) -> Response[bytes]:
    scope = identity.customer
    invoice = await billing.get_invoice(scope, invoice_id, today=clock.today(settings.zone))
    return page(
        request,
        "pay/guests/links",
        status=status,
        invoice=invoice.row,
        links=await links.living(scope, invoice_id),
        made=made,
        form=form,
        days=links.LIFE.days,
    )


router = Router(
    "/",
    route_handlers=[
        show_links,
        make_link,
        revoke_link,
        show_bill,
        start,
        show_payment,
        show_state,
        download_receipt,
        come_back,
        cancel,
    ],
)
