"""Handlers of /pay: choose how, pay, see how it stands. The gateway is asked outside of any transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.pay import payments, proofs, receipts, refunds, telling, words
from selfcare.portal.pay.autopay import consents
from selfcare.portal.pay.checkout import NEW_CARD, Checkout, PaidAlready, checkout
from selfcare.portal.pay.payments import BillPart, How, OnItsWay, Payment
from selfcare.portal.pay.till import Till
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.guards import ask_for_proof
from selfcare.web.pages import as_download, go, page


@get("/pay", name="pay")
async def review(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    till, wanted = Till.of(ports, settings), _ids(request, request.query_params.getall("bill", []))
    try:
        shown = await checkout(till, identity.customer, wanted, today=clock.today(settings.zone))
    except (OnItsWay, PaidAlready) as other:
        return go(request, "pay.show", payment_id=other.payment_id)
    part = request.query_params.get("part") == "1" and _may_part(request, shown)
    card = request.query_params.get("card", "")
    taken = await consents.taken_on(identity.customer, today=clock.today(settings.zone))
    by_itself = min((taken[bill.id] for bill in shown.bills if bill.id in taken), default=None)
    return _review(request, shown, _form(shown, card=card, part=part), status=200, by_itself=by_itself)


@post("/pay", name="pay.start", status_code=200)
async def start(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    till, today = Till.of(ports, settings), clock.today(settings.zone)
    form = await Form.read(request, "card", "save_card", "shown", "part", "amount", several=["bill"])
    wanted = _ids(request, form.several["bill"])
    if known := await payments.find_by_request_key(identity.customer.customer_id, form.request_key):
        return go(request, "pay.show", payment_id=known.id)
    try:
        shown = await checkout(till, identity.customer, wanted, today=today)
        paid = await _pay(request, till, identity, shown, form)
    except (OnItsWay, PaidAlready) as other:
        return go(request, "pay.show", payment_id=other.payment_id)
    except Rejected as problem:
        form.reject(problem.field, problem)
        return _review(request, shown, form, status=422)
    except Conflict as changed:
        # Read anew: what is shown now is what the next press of the button pays.
        try:
            shown = await checkout(till, identity.customer, wanted, today=today)
        except PaidAlready as other:
            return go(request, "pay.show", payment_id=other.payment_id)
        fresh = _form(shown, card=form["card"], part=bool(form["part"]))
        fresh.reject(None, changed.message)
        return _review(request, shown, fresh, status=409)
    if paid is None:
        return _review(request, shown, form, status=422)
    return go(request, "pay.show", payment_id=paid.id)


@get("/pay/{payment_id:uuid}", name="pay.show")
async def show(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    payment = await _looked_at(identity, Till.of(ports, settings), payment_id)
    return await _standing(request, identity, payment)


@get("/pay/{payment_id:uuid}/state", name="pay.state")
async def show_state(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """For the open page: nothing while nothing has changed."""
    payment = await _looked_at(identity, Till.of(ports, settings), payment_id)
    if request.query_params.get("was") == payment.state.value:
        return Response(b"", status_code=204)
    return await _standing(request, identity, payment)


@get("/pay/{payment_id:uuid}/return", name="pay.return")
async def come_back(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    """From the gateway or the bank. Nothing in this address is believed: the gateway is asked."""
    payment = await payments.get(identity.customer, payment_id)
    await payments.look(Till.of(ports, settings), payment.id)
    if payment.parts and payment.parts[0].target == "order":
        return go(request, "orders.show", order_id=payment.parts[0].target_id)
    return go(request, "pay.show", payment_id=payment_id)


@get("/pay/{payment_id:uuid}/receipt", name="pay.receipt")
async def download_receipt(
    payment_id: FromPath[UUID], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    paper = await receipts.fetch_receipt(
        identity, payment_id, operator=settings.operator, simulated=settings.payments == "embedded"
    )
    return as_download(paper.name, paper.body, "application/pdf")


@post("/pay/{payment_id:uuid}/cancel", name="pay.cancel", status_code=200)
async def cancel(
    request: Request[Any, Any, Any],
    payment_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    await Form.read(request)
    payment = await payments.get(identity.customer, payment_id)
    if payment.is_strangers:
        raise NotFound
    await payments.give_up(Till.of(ports, settings), payment.id)
    return go(request, "pay.show", payment_id=payment_id)


async def _pay(
    request: Request[Any, Any, Any], till: Till, identity: Identity, shown: Checkout, form: Form
) -> Payment | None:
    """None where the form says what is wrong."""
    part = bool(form["part"]) and _may_part(request, shown)
    amount = form.amount("amount", shown.total.currency) if part else None
    card = form.choice("card", shown.card_choices, _("Choose a card.")) if shown.by_card or part else NEW_CARD
    if not form:
        return None
    how = How(
        request_key=form.request_key,
        card_id=None if card in (None, NEW_CARD) else UUID(card),
        save_card=form.flag("save_card"),
        shown=None if part else Money(form.hidden_number("shown"), shown.total.currency),
    )
    if (shown.by_card or part) and await proofs.needs_proof(identity, how.card_id):
        await ask_for_proof(request)
    parts = [BillPart(shown.bills[0].id, amount)] if part else [BillPart(bill.id) for bill in shown.bills]
    return await payments.pay_bills(till, identity, parts, how)


def _form(shown: Checkout, *, card: str = "", part: bool = False) -> Form:
    chosen = card if card in shown.card_choices else shown.card_choices[0]
    return Form.empty("amount", "save_card", card=chosen, part="1" if part else "", shown=str(shown.total.minor))


def _may_part(request: Request[Any, Any, Any], shown: Checkout) -> bool:
    return "pay_part" in context_of(request).site.flags and len(shown.bills) == 1


def _review(
    request: Request[Any, Any, Any], shown: Checkout, form: Form, *, status: int, by_itself: date | None = None
) -> Response[bytes]:
    """`by_itself`: when automatic payment is going to take the first of it."""
    return page(
        request,
        "pay/index",
        fragment="pay/_review",
        status=status,
        shown=shown,
        form=form,
        part=bool(form["part"]) and _may_part(request, shown),
        may_part=_may_part(request, shown),
        new_card=NEW_CARD,
        by_itself=by_itself,
    )


async def _looked_at(identity: Identity, till: Till, payment_id: UUID) -> Payment:
    """As it is, after a look at the gateway when the last one is some seconds ago."""
    payment = await payments.get(identity.customer, payment_id)
    if not payment.is_open or identity.is_impersonating:
        return payment
    wait = timedelta(seconds=words.ask_again_after(payment, clock.now()))
    return await payments.look(till, payment.id, every=wait)


async def _standing(request: Request[Any, Any, Any], identity: Identity, payment: Payment) -> Response[bytes]:
    return page(
        request,
        "pay/show",
        fragment="pay/_state",
        payment=payment,
        standing=words.standing(payment),
        paid_by=words.paid_by(payment),
        refunds=await refunds.list_refunds(payment),
        undelivered=payment.is_paid and await telling.is_undelivered(payment.id, identity.user_id),
        seconds=words.ask_again_after(payment, clock.now()),
        bill_ids=[part.target_id for part in payment.parts if part.target == "invoice"],
    )


def _ids(request: Request[Any, Any, Any], texts: Sequence[str]) -> list[UUID]:
    """Of the bills; none means all. Raises NotFound for what is no id, and for several where only one is allowed."""
    if len(texts) != 1 and "pay_many" not in context_of(request).site.flags:
        raise NotFound
    try:
        return [UUID(text) for text in texts[: payments.MOST_BILLS + 1]]
    except ValueError:
        raise NotFound from None


router = Router("/", route_handlers=[review, start, show, show_state, come_back, download_receipt, cancel])
