"""Handlers of /billing/statement."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Stream

from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict
from selfcare.kernel.words import _
from selfcare.portal.billing import bundles, papers
from selfcare.portal.billing.statement import paper, statement
from selfcare.portal.billing.statement.statement import Span
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import as_download, go, page
from selfcare.web.sheets import sheet


@get("/billing/statement", name="billing.statement")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form, span = asked_span(request, clock.today(identity.customer.zone))
    found = None if span is None or span.is_long else await statement.get(identity.customer, span)
    return page(
        request,
        "billing/statement/index",
        fragment="billing/statement/_statement",
        status=200 if form else 422,
        form=form,
        span=span,
        found=found,
        describe=paper.describe,
        meaning=paper.meaning,
    )


@get("/billing/statement.csv", name="billing.statement_csv")
async def download_csv(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity]
) -> Response[bytes] | Stream:
    form, span = asked_span(request, clock.today(identity.customer.zone))
    if span is None:
        return _bad(request, form)
    await limits.claim(papers.BY_USER, str(identity.actor_id))
    found = await statement.fetch(identity, span, format="csv")
    headings = (_("Date"), _("Description"), _("Amount"), _("Balance"), _("Currency"))
    return sheet(f"{paper.name_of(span)}.csv", headings, paper.cells(found))


@get("/billing/statement.pdf", name="billing.statement_pdf")
async def download_pdf(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    form, span = asked_span(request, clock.today(identity.customer.zone))
    if span is None:
        return _bad(request, form)
    await limits.claim(papers.BY_USER, str(identity.actor_id))
    found = await statement.fetch(identity, span, format="pdf")
    receiver = await papers.receiver_of(identity.customer.customer_id)
    simulated = settings.payments == "embedded"
    body = await papers.drawn(partial(paper.draw, found, receiver, settings.operator, simulated=simulated))
    return as_download(f"{paper.name_of(span)}.pdf", body, "application/pdf")


def asked_span(request: Request[Any, Any, Any], today: date) -> tuple[Form, Span | None]:
    """The days as they were typed, and what they mean; the usual ones where none are said."""
    form, usual = Form.query(request, "first", "last"), statement.usual(today)
    if not form["first"] and not form["last"]:
        return Form.empty(first=usual.first.isoformat(), last=usual.last.isoformat()), usual
    first = form.day("first") if form["first"] else statement.EARLIEST
    last = form.day("last") if form["last"] else today
    if first and last and first > last:
        form.reject("last" if form["last"] else "first", _("Choose a last day on or after the first."))
    return form, Span(first, last) if form and first and last else None


def _bad(request: Request[Any, Any, Any], form: Form) -> Response[bytes]:
    return page(request, "billing/statement/index", status=422, form=form, span=None, found=None)


@post("/billing/statement", name="billing.make_statement", status_code=200)
async def make_long(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    """More than anybody should wait for: made in the background."""
    form = await Form.read(request, "first", "last")
    first, last = form.day("first"), form.day("last")
    if not form or first is None or last is None or first > last:
        return _bad(request, form)
    try:
        await bundles.ask_statement(identity, first, last, ports.jobs)
    except Conflict as busy:
        form.reject(None, busy.message)
        return page(request, "billing/statement/index", status=409, form=form, span=Span(first, last), found=None)
    return go(request, "billing.bundles")


router = Router("/", route_handlers=[show, download_csv, download_pdf, make_long])
