"""Handlers of /staff/requests."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.formats import money
from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.money import Money, exponent
from selfcare.kernel.words import _
from selfcare.portal.account.requests import requests
from selfcare.portal.account.requests.kinds import State
from selfcare.portal.account.requests.requests import LONGEST
from selfcare.portal.pay.refunds import Source
from selfcare.portal.pay.till import Till
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.money import giving
from selfcare.staff.requests import decisions, queries
from selfcare.staff.requests.queries import Case
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import go, page

STEPS = {"say": State.OPEN, "ask": State.WAITING_CUSTOMER, "done": State.DONE, "decline": State.DECLINED}


@get("/staff/requests", name="staff.requests")
async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
    asked = Form.query(request, "state", "page")
    state = asked["state"] if asked["state"] in queries.STATES else "open"
    number = asked.whole("page", least=1, most=10_000) or 1
    return page(request, "staff/requests/index", queue=await queries.queue(state, number))


@get("/staff/requests/{request_id:uuid}", name="staff.requests.show")
async def show_request(request: Request[Any, Any, Any], request_id: FromPath[UUID]) -> Response[bytes]:
    return _case_page(request, await queries.get_case(request_id), Form.empty("text", step=""))


@post("/staff/requests/{request_id:uuid}/answer", name="staff.requests.answer", status_code=200)
async def answer(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    request_id: FromPath[UUID],
) -> Response[bytes]:
    case = await queries.get_case(request_id)
    form = await Form.read(request, "text", "step")
    text = form.text("text", most=LONGEST, lines=True)
    step = form.choice("step", STEPS, _("Choose what happens with the request."))
    if text is not None and step is not None:
        await requests.answer(identity, request_id, text, STEPS[step], messages=ports.messages)
        return go(request, "staff.requests.show", request_id=request_id)
    return _case_page(request, case, form, status=422)


@get("/staff/requests/{request_id:uuid}/money", name="staff.requests.money")
async def show_money(request: Request[Any, Any, Any], request_id: FromPath[UUID]) -> Response[bytes]:
    case = await queries.get_case(request_id)
    if case.most is None:
        return go(request, "staff.requests.show", request_id=request_id)
    return _money_page(request, case, Form.empty("text", amount=_typed(_alone(request, case.most)), source=""))


@post("/staff/requests/{request_id:uuid}/money", name="staff.requests.give", status_code=200)
async def give(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
    request_id: FromPath[UUID],
) -> Response[bytes]:
    case = await queries.get_case(request_id)
    if case.most is None:
        raise Conflict(_("This request was decided already, or nothing is left to give."))
    is_refund = case.talk.request.kind == "refund"
    form = await Form.read(request, "text", "amount", "source")
    amount = form.amount("amount", case.most.currency)
    source = form.choice("source", giving.SOURCES, _("Choose whose money it is.")) if is_refund else "credit"
    text = form.text("text", most=LONGEST, lines=True)
    if amount is None or source is None or text is None:
        return _money_page(request, case, form, status=422)
    till = Till.of(ports, settings)
    try:
        if is_refund:
            await decisions.refund(till, settings, identity, request_id, amount, source=Source(source), text=text)
        else:
            if not await decisions.credit(till, settings, identity, request_id, amount, text=text):
                return go(request, "staff.approvals")
    except Rejected as problem:
        form.reject(problem.field, problem)
        return _money_page(request, case, form, status=422)
    except Conflict as problem:
        if (await queries.get_case(request_id)).talk.request.state.is_over:
            raise
        form.reject("source" if is_refund else None, problem.message)
        return _money_page(request, case, form, status=422)
    return go(request, "staff.requests.show", request_id=request_id)


@post("/staff/requests/approvals/{approval_id:uuid}", name="staff.requests.decide", status_code=200)
async def decide(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
    approval_id: FromPath[UUID],
) -> Response[bytes]:
    form = await Form.read(request, "decision")
    decision = form.choice("decision", ("yes", "no"))
    if decision:
        till = Till.of(ports, settings)
        await decisions.decide(till, settings, identity, approval_id, yes=decision == "yes")
    return go(request, "staff.approvals")


def _case_page(request: Request[Any, Any, Any], case: Case, form: Form, *, status: int = 200) -> Response[bytes]:
    return page(
        request,
        "staff/requests/show",
        fragment="staff/requests/_case",
        status=status,
        case=case,
        form=form,
        longest=LONGEST,
    )


def _money_page(request: Request[Any, Any, Any], case: Case, form: Form, *, status: int = 200) -> Response[bytes]:
    return page(
        request,
        "staff/requests/money",
        fragment="staff/requests/_money",
        status=status,
        case=case,
        form=form,
        most=money(_most(request, case, case.most)) if case.most else "",
        alone=money(_alone(request, case.most)) if case.most else "",
        sources=_sources(),
        longest=LONGEST,
    )


def _sources() -> list[tuple[str, str, str]]:
    return [
        ("bill", _("The bill it paid"), _("The bill is open again by this amount.")),
        ("credit", _("The customer's credit"), _("Their credit gets smaller by this amount.")),
        ("goodwill", _("Ours"), _("Given as goodwill: nothing is owed for it.")),
    ]


def _most(request: Request[Any, Any, Any], case: Case, most: Money) -> Money:
    """A refund that needs two people is asked for on the page of its payment."""
    return _alone(request, most) if case.talk.request.kind == "refund" else most


def _alone(request: Request[Any, Any, Any], most: Money) -> Money:
    return min(most, giving.alone(context_of(request).site.settings, most.currency))


def _typed(amount: Money) -> str:
    """As a person would type it."""
    digits = exponent(amount.currency)
    whole, part = divmod(amount.minor, 10**digits)
    return f"{whole}.{part:0{digits}d}" if digits else str(whole)


router = Router("/", route_handlers=[show, show_request, answer, show_money, give, decide])
