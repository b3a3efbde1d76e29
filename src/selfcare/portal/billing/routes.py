"""Handlers of /billing."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.portal.billing import queries, questions
from selfcare.portal.help import tips
from selfcare.settings import Settings
from selfcare.web.leads import leads_to
from selfcare.web.pages import page


@get("/billing", name="billing")
async def show(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    scope, today = identity.customer, clock.today(settings.zone)
    bills = await queries.open_bills(scope, today=today)
    recent = await queries.list_invoices(scope, today=today)
    return page(
        request,
        "billing/index",
        bills=bills,
        due=queries.due_of(bills, scope),
        recent=recent.rows[:5],
        tip=await tips.find(identity, "billing"),
        leads_to=leads_to(request),
    )


@get("/billing/invoices", name="billing.invoices")
async def list_invoices(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    asked = request.query_params
    status = asked.get("status", "") if asked.get("status", "") in queries.STATUSES else "all"
    year = _number(asked.get("year", ""), most=9999)
    number = _number(asked.get("page", ""), most=100_000) or 1
    invoices = await queries.list_invoices(
        identity.customer, today=clock.today(settings.zone), status=status, year=year, page=number
    )
    return page(request, "billing/invoices", fragment="billing/_invoices", invoices=invoices, chosen=status, year=year)


@get("/billing/invoices/{invoice_id:uuid}", name="billing.invoice")
async def show_invoice(
    request: Request[Any, Any, Any],
    invoice_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    invoice = await queries.get_invoice(identity.customer, invoice_id, today=clock.today(settings.zone))
    questioned = await questions.open_lines(identity.customer, invoice_id)
    return page(request, "billing/invoice", invoice=invoice, questioned=questioned)


def _number(text: str, *, most: int) -> int | None:
    """What a link of ours may say; anything else is as if it said nothing."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 and 0 < int(text) <= most else None


router = Router("/", route_handlers=[show, list_invoices, show_invoice])
