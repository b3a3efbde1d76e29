"""Handlers of /staff/payments and of what staff do to a customer's money."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.words import _
from selfcare.portal.cards import expiring
from selfcare.portal.pay import payment, payments, refunds
from selfcare.portal.pay.refunds import Source
from selfcare.portal.pay.till import Till
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.approvals import approvals
from selfcare.staff.approvals.approvals import Kind
from selfcare.staff.customers import queries as customers
from selfcare.staff.money import giving, queries
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/staff/payments", name="staff.payments")
async def show_all(request: Request[Any, Any, Any]) -> Response[bytes]:
    review, failed = await queries.waiting()
    asked = await approvals.waiting(approvals.MONEY)
    return page(request, "staff/money/index", review=review, failed=failed, approvals=asked)


@get("/staff/payments/cards", name="staff.payments.cards")
async def show_cards(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    """Default cards that end soon: who is going to be in trouble with automatic payment."""
    found = await expiring.ending(clock.today(settings.zone))
    return page(request, "staff/money/cards", cards=found, days=expiring.FOR_STAFF.days)


@get("/staff/payments/{payment_id:uuid}", name="staff.payments.show")
async def show(
    request: Request[Any, Any, Any], payment_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    paid = await payment.load(payment_id)
    await customers.get(identity, paid.customer_id, "payment")
    done = request.query_params.get("done", "")
    return await _payment_page(request, paid, Form.empty("amount", "reason", source="goodwill"), done=done)


@post("/staff/payments/{payment_id:uuid}/refund", name="staff.payments.refund", status_code=200)
async def refund(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    paid = await payment.load(payment_id)
    form = await Form.read(request, "amount", "source", "reason")
    amount = form.amount("amount", paid.amount.currency)
    source = form.choice("source", giving.SOURCES)
    reason = form.text("reason", least=10, most=200)
    if form and amount is not None and source and reason:
        try:
            till = Till.of(ports, settings)
            sent = await giving.refund(till, settings, identity, payment_id, amount, Source(source), reason)
        except (Rejected, Conflict) as problem:
            form.reject(problem.field if isinstance(problem, Rejected) else None, problem.message)
        else:
            return go(request, "staff.payments.show", payment_id=payment_id, done="sent" if sent else "asked")
    return await _payment_page(request, paid, form, status=422)


@post("/staff/payments/{payment_id:uuid}/look", name="staff.payments.look", status_code=200)
async def look(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Ask the bank what became of it; what it says is settled as always."""
    await Form.read(request)
    await payments.look(Till.of(ports, settings), payment_id)
    return go(request, "staff.payments.show", payment_id=payment_id, done="looked")


@post("/staff/refunds/{refund_id:uuid}", name="staff.payments.review_refund", status_code=200)
async def review_refund(
    request: Request[Any, Any, Any],
    refund_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """One the bank refused: sent again, or given back past this portal."""
    paid = await payment.load((await refunds.load_refund(refund_id)).payment_id)
    form = await Form.read(request, "how", "why")
    how = form.choice("how", ("again", "outside"), _("Choose what happens with it."))
    why = form.text("why", least=10, most=200)
    till = Till.of(ports, settings)
    if form and how and why:
        try:
            if how == "again":
                await giving.send_again(till, identity, refund_id, why)
                done = "sent"
            else:
                at_once = await giving.given_outside(till, settings, identity, refund_id, why)
                done = "outside" if at_once else "asked"
        except Conflict as problem:
            form.reject(None, problem.message)
        else:
            return go(request, "staff.payments.show", payment_id=paid.id, done=done)
    return await _payment_page(request, paid, form, status=422)


@post("/staff/payments/{payment_id:uuid}/nothing-taken", name="staff.payments.nothing_taken", status_code=200)
async def nothing_taken(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """Money that did not fit was put right at the gateway by hand."""
    paid = await payment.load(payment_id)
    form = await Form.read(request, "why")
    why = form.text("why", least=10, most=200)
    if why:
        await giving.nothing_taken(Till.of(ports, settings), identity, payment_id, why)
        return go(request, "staff.payments.show", payment_id=payment_id, done="closed")
    return await _payment_page(request, paid, form, status=422)


@post("/staff/approvals/{approval_id:uuid}", name="staff.payments.decide", status_code=200)
async def decide(
    request: Request[Any, Any, Any],
    approval_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "decision")
    decision = form.choice("decision", ("yes", "no"))
    if decision:
        await giving.decide(Till.of(ports, settings), identity, approval_id, yes=decision == "yes")
    return go(request, "staff.payments")


@get("/staff/customers/{customer_id:uuid}/money", name="staff.payments.customer")
async def show_customer(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    customer = await customers.get(identity, customer_id, "money")
    done = request.query_params.get("done", "")
    return await _customer_page(request, customer, Form.empty("amount", "reason"), done=done)


@post("/staff/customers/{customer_id:uuid}/credit", name="staff.payments.credit", status_code=200)
async def credit(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _adjust(request, customer_id, identity, Till.of(ports, settings), Kind.CREDIT)


@post("/staff/customers/{customer_id:uuid}/charge", name="staff.payments.charge", status_code=200)
async def charge(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    return await _adjust(request, customer_id, identity, Till.of(ports, settings), Kind.CHARGE)


async def _adjust(
    request: Request[Any, Any, Any], customer_id: UUID, identity: Identity, till: Till, kind: Kind
) -> Response[bytes]:
    settings = context_of(request).site.settings
    customer = await customers.find(customer_id)
    form = await Form.read(request, "amount", "reason")
    amount = form.amount("amount", customer.scope.currency)
    reason = form.text("reason", least=10, most=200)
    if form and amount is not None and reason:
        try:
            given = await giving.adjust(till, settings, identity, customer_id, kind, amount, reason)
        except Rejected as problem:
            form.reject(problem.field, problem)
        else:
            done = {Kind.CREDIT: "given", Kind.CHARGE: "charged"}[kind] if given else "asked"
            return go(request, "staff.payments.customer", customer_id=customer_id, done=done)
    return await _customer_page(request, customer, form, status=422, which="c-" if kind is Kind.CHARGE else "")


@post("/staff/customers/{customer_id:uuid}/lines/{line_id:uuid}/void", name="staff.payments.void", status_code=200)
async def void(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    line_id: FromPath[UUID],
    identity: NamedDependency[Identity],
) -> Response[bytes]:
    customer = await customers.find(customer_id)
    form = await Form.read(request, "why")
    why = form.text("why", least=10, most=200)
    if why is None:
        return await _customer_page(request, customer, form, status=422)
    await giving.void(identity, customer_id, line_id, why)
    return go(request, "staff.payments.customer", customer_id=customer_id, done="voided")


async def _payment_page(
    request: Request[Any, Any, Any], paid: payment.Payment, form: Form, *, status: int = 200, done: str = ""
) -> Response[bytes]:
    return page(
        request,
        "staff/money/payment",
        status=status,
        paid=paid,
        customer=await customers.find(paid.customer_id),
        refunds=await refunds.list_refunds(paid),
        left=paid.amount - paid.refunded,
        alone=giving.alone(context_of(request).site.settings, paid.amount.currency),
        form=form,
        done=done,
    )


async def _customer_page(
    request: Request[Any, Any, Any],
    customer: customers.Customer,
    form: Form,
    *,
    status: int = 200,
    done: str = "",
    which: str = "",
) -> Response[bytes]:
    return page(
        request,
        "staff/money/customer",
        status=status,
        customer=customer,
        which=which,
        form=form,
        lines=await queries.voidable(customer.id),
        alone=giving.alone(context_of(request).site.settings, customer.scope.currency),
        done=done,
    )


router = Router(
    "/",
    route_handlers=[
        show_all,
        show_cards,
        show,
        refund,
        review_refund,
        nothing_taken,
        look,
        decide,
        show_customer,
        credit,
        charge,
        void,
    ],
)
