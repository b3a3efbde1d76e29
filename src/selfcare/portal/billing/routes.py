"""Handlers of /billing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.numbers import whole
from selfcare.kernel.place import Place
from selfcare.kernel.words import _
from selfcare.portal.billing import bundles, papers, queries, questions, references, transactions
from selfcare.portal.billing.difference import difference
from selfcare.portal.billing.promise import promises
from selfcare.portal.billing.queries import InvoiceRow
from selfcare.portal.billing.recipients import recipients
from selfcare.portal.billing.transactions import Entry, Wanted
from selfcare.portal.help import tips
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.leads import leads_to
from selfcare.web.pages import as_download, go, page
from selfcare.web.sheets import sheet


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
        promised_for=await promises.find_open(scope),
        recent=recent.rows[:5],
        autopay=await queries.is_paid_by_itself(scope),
        may_set_reference=references.may_set(identity),
        may_choose_recipients=recipients.may_choose(identity),
        tip=await tips.find(identity, "billing"),
        leads_to=leads_to(request),
    )


@get("/billing/invoices", name="billing.invoices")
async def list_invoices(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    asked = request.query_params
    status = asked.get("status", "") if asked.get("status", "") in queries.STATUSES else "all"
    year = whole(asked.get("year", ""), least=1, most=9999)
    number = whole(asked.get("page", ""), least=1, most=100_000) or 1
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
    may_set = references.may_set(identity)
    return page(request, "billing/invoice", invoice=invoice, questioned=questioned, may_set_reference=may_set)


@get("/billing/reference", name="billing.usual_reference")
async def show_usual_reference(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    if not references.may_set(identity):
        raise NotFound
    return _reference(request, None, Form.empty(reference=await references.usual(identity.customer)))


@post("/billing/reference", name="billing.set_usual_reference", status_code=200)
async def set_usual_reference(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = await Form.read(request, "reference")
    try:
        await references.set_usual(identity, form["reference"])
    except Rejected as problem:
        form.reject(problem.field, problem)
        return _reference(request, None, form, status=422)
    return go(request, "billing")


@get("/billing/invoices/{invoice_id:uuid}/reference", name="billing.reference")
async def show_reference(
    request: Request[Any, Any, Any],
    invoice_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    invoice = await queries.get_invoice(identity.customer, invoice_id, today=clock.today(settings.zone))
    if not references.may_set(identity):
        raise NotFound
    return _reference(request, invoice.row, Form.empty(reference=invoice.purchase_ref or ""))


@post("/billing/invoices/{invoice_id:uuid}/reference", name="billing.set_reference", status_code=200)
async def set_reference(
    request: Request[Any, Any, Any],
    invoice_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "reference")
    invoice = await queries.get_invoice(identity.customer, invoice_id, today=clock.today(settings.zone))
    try:
        await references.set_on(identity, invoice_id, form["reference"])
    except Rejected as problem:
        form.reject(problem.field, problem)
        return _reference(request, invoice.row, form, status=422)
    return go(request, "billing.invoice", invoice_id=invoice_id)


def _reference(
    request: Request[Any, Any, Any], bill: InvoiceRow | None, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(request, "billing/reference", status=status, bill=bill, form=form, longest=references.LONGEST)


@get("/billing/invoices/{invoice_id:uuid}/pdf", name="billing.pdf")
async def download_invoice(
    invoice_id: FromPath[UUID], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    paper = await papers.fetch_invoice(
        identity,
        invoice_id,
        operator=settings.operator,
        simulated=settings.payments == "embedded",
        today=clock.today(settings.zone),
    )
    return as_download(paper.name, paper.body, "application/pdf")


@get("/billing/invoices/{invoice_id:uuid}/difference", name="billing.difference")
async def show_difference(
    request: Request[Any, Any, Any],
    invoice_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    invoice, found = await difference(identity.customer, invoice_id, today=clock.today(settings.zone))
    return page(request, "billing/difference", invoice=invoice, found=found)


@get("/billing/invoices/{invoice_id:uuid}/lines/{line_id:uuid}", name="billing.line")
async def show_line(
    request: Request[Any, Any, Any],
    invoice_id: FromPath[UUID],
    line_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    invoice = await queries.get_invoice(identity.customer, invoice_id, today=clock.today(settings.zone))
    group, line = invoice.find_line(line_id)
    questioned = await questions.open_lines(identity.customer, invoice_id)
    return page(request, "billing/line", invoice=invoice, group=group, line=line, request_id=questioned.get(line.id))


@get("/billing/transactions", name="billing.transactions")
async def list_transactions(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    scope = identity.customer
    form, wanted = _wanted(request)
    after = Place.parse(form["after"])
    found = await transactions.list_transactions(scope, wanted, today=clock.today(scope.zone), after=after)
    return page(
        request,
        "billing/transactions",
        fragment="billing/_transactions",
        status=200 if form else 422,
        form=form,
        wanted=wanted,
        found=found,
        kinds=transactions.kind_words(),
        is_first=after is None,
    )


@get("/billing/transactions.csv", name="billing.transactions_csv")
async def download_transactions(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Stream:
    _form, wanted = _wanted(request)
    entries = await transactions.download(identity, wanted)
    headings = (_("Date"), _("Kind"), _("Description"), _("Amount"), _("Currency"), _("Invoice"), _("Status"))
    return sheet("transactions.csv", headings, _cells(entries, identity.customer.zone))


async def _cells(entries: AsyncIterator[Entry], zone: str) -> AsyncIterator[tuple[str | Decimal, ...]]:
    kinds = transactions.kind_words()
    async for one in entries:
        at = one.at.astimezone(ZoneInfo(zone)).isoformat(timespec="seconds")
        amount = transactions.decimal(one.amount)
        yield at, kinds[one.kind], one.description, amount, one.amount.currency, one.number or "", one.status


@get("/billing/bundles", name="billing.bundles")
async def show_bundles(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    today = clock.today(identity.customer.zone)
    form = Form.empty(first=str(today.replace(year=today.year - 1, day=1)), last=str(today))
    return await _bundles(request, identity, form)


@post("/billing/bundles", name="billing.make_bundle", status_code=200)
async def make_bundle(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    form = await Form.read(request, "first", "last")
    first, last = form.day("first"), form.day("last")
    if first and last and first > last:
        form.reject("last", _("Choose a day on or after the first."))
    if not form or first is None or last is None:
        return await _bundles(request, identity, form, status=422)
    try:
        if await bundles.count(identity.customer, first, last) <= bundles.MOST_AT_ONCE:
            return go(request, "billing.few", first=first, last=last)
        await bundles.ask(identity, first, last, ports.jobs)
    except Rejected as problem:
        form.reject(problem.field, problem)
        return await _bundles(request, identity, form, status=422)
    except Conflict as problem:
        form.reject(None, problem.message)
        return await _bundles(request, identity, form, status=409)
    return go(request, "billing.bundles")


@get("/billing/bundles/bills.zip", name="billing.few")
async def download_few(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """A few bills are worth waiting for."""
    form = Form.query(request, "first", "last")
    first, last = form.day("first"), form.day("last")
    if not form or first is None or last is None:
        return await _bundles(request, identity, form, status=422)
    printer = papers.Printer(settings.operator, settings.payments == "embedded", settings.zone)
    try:
        body = await bundles.fetch_now(identity, first, last, printer)
    except Rejected as problem:
        form.reject(problem.field, problem)
        return await _bundles(request, identity, form, status=422)
    return as_download(f"bills-{first}-{last}.zip", body, "application/zip")


@get("/billing/bundles/state", name="billing.bundle_state")
async def show_bundle_state(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    """For the open page while a file is being made."""
    return page(
        request, "billing/bundles", fragment="billing/_bundle", bundle=await bundles.latest(identity), form=Form.empty()
    )


@get("/billing/bundles/{bundle_id:uuid}/file", name="billing.bundle_file")
async def download_bundle(bundle_id: FromPath[UUID], identity: NamedDependency[Identity]) -> Stream:
    size, pieces = await bundles.open_file(identity, bundle_id)
    headers = {
        "Content-Disposition": 'attachment; filename="bills.zip"',
        "Content-Length": str(size),
        "Cache-Control": "private, no-store",
        "Vary": "Cookie",
    }
    return Stream(pieces, media_type="application/zip", headers=headers)


async def _bundles(
    request: Request[Any, Any, Any], identity: Identity, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(request, "billing/bundles", status=status, bundle=await bundles.latest(identity), form=form)


def _wanted(request: Request[Any, Any, Any]) -> tuple[Form, Wanted]:
    """The filter as it was typed, and what it means."""
    form = Form.query(request, "kind", "invoiced", "first", "last", "after")
    first = form.day("first") if form["first"] else None
    last = form.day("last") if form["last"] else None
    if first and last and first > last:
        form.reject("last", _("Choose a day on or after the first."))
    kind = form["kind"] if form["kind"] in transactions.KINDS else ""
    invoiced = form["invoiced"] if form["invoiced"] in transactions.INVOICED else ""
    return form, Wanted(kind, invoiced, first, last)


router = Router(
    "/",
    route_handlers=[
        show,
        list_invoices,
        show_invoice,
        download_invoice,
        show_usual_reference,
        set_usual_reference,
        show_reference,
        set_reference,
        show_difference,
        show_line,
        list_transactions,
        download_transactions,
        show_bundles,
        make_bundle,
        download_few,
        show_bundle_state,
        download_bundle,
    ],
)
