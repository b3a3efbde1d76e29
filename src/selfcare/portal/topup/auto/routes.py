"""Handlers of /topup/auto."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Conflict, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import ngettext
from selfcare.portal.topup.auto import rules
from selfcare.portal.topup.auto.rules import Line, Terms
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/topup/auto", name="topup.auto")
async def show_all(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "topup/auto/index", lines=await rules.lines(identity.customer))


@get("/topup/auto/{service_id:uuid}", name="topup.auto.show")
async def show(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    line = await rules.line(identity.customer, service_id)
    return await _page(request, identity, settings, line, _filled(line))


@post("/topup/auto/{service_id:uuid}", name="topup.auto.switch", status_code=200)
async def switch(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    line = await rules.line(identity.customer, service_id)
    form = await Form.read(request, "on", "threshold", "amount", "most", "pause", "agreed")
    if form.choice("on", ("yes", "no")) == "no":
        await rules.switch_off(identity, service_id)
        return go(request, "topup.auto.show", service_id=service_id)
    terms, agreed = _terms(form, line.least.currency), form["agreed"]
    if form and terms is not None:
        try:
            await rules.switch_on(
                identity, service_id, terms, agreed=agreed, operator=settings.operator.name, jobs=ports.jobs
            )
        except Conflict as other:
            form.reject(None, other.message)
            return await _page(request, identity, settings, line, form, status=409)
        except Rejected as problem:
            form.reject(problem.field, problem)
    if not form:
        return await _page(request, identity, settings, line, form, status=422)
    return go(request, "topup.auto.show", service_id=service_id)


def _terms(form: Form, currency: str) -> Terms | None:
    threshold, amount = form.amount("threshold", currency), form.amount("amount", currency)
    most = form.amount("most", currency)
    pause = form.choice("pause", [str(hours) for hours in rules.PAUSES])
    if threshold is None or amount is None or most is None or pause is None:
        return None
    return Terms(threshold=threshold, amount=amount, most=most, pause_hours=int(pause))


def _filled(line: Line) -> Form:
    """With what is agreed, else with what most people take."""
    currency = line.least.currency
    usual = Terms(
        threshold=Money.whole(2, currency),
        amount=Money.whole(10, currency),
        most=Money.whole(40, currency),
        pause_hours=24,
    )
    terms = line.rule.terms if line.rule else usual
    return Form.empty(
        threshold=terms.threshold.plain(),
        amount=terms.amount.plain(),
        most=terms.most.plain(),
        pause=str(terms.pause_hours),
    )


async def _page(
    request: Request[Any, Any, Any],
    identity: Identity,
    settings: Settings,
    line: Line,
    form: Form,
    *,
    status: int = 200,
) -> Response[bytes]:
    card = await rules.working_card(identity.customer.customer_id)
    terms = _terms(Form(dict(form.values)), line.least.currency)
    hours = [(str(n), ngettext("%(n)d hour", "%(n)d hours", n) % {"n": n}) for n in rules.PAUSES]
    return page(
        request,
        "topup/auto/show",
        fragment="topup/auto/_form",
        status=status,
        line=line,
        card=card,
        form=form,
        pauses=hours,
        words=rules.consent_words(settings.operator.name, terms, card.words) if terms and card else "",
    )


router = Router("/", route_handlers=[show_all, show, switch])
