"""Handlers of /services."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money
from selfcare.portal.billing import queries as billing
from selfcare.portal.services import cancelling as ending
from selfcare.portal.services import changes, missing, queries
from selfcare.portal.services.extras import held_on, monthly_with
from selfcare.portal.services.queries import ServiceRow
from selfcare.portal.services.services import offers
from selfcare.portal.services.timeline import timeline
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.leads import leads_to, request_url
from selfcare.web.pages import go, page, wants_fragment

WHEN = (ending.AT_END, ending.NOW)
_SOLD_AS = {"topup": "topup", "addons": "addon"}


@get("/services", name="services")
async def list_all(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    asked = queries.asked_by(request.query_params)
    services = await queries.list_services(identity.customer, asked, clock.now())
    return page(
        request,
        "services/index",
        fragment="services/_list",
        services=services,
        asked=asked,
        offers=_offers(request, identity, services.sold),
        due=await _overdue(request, identity, services.rows, settings),
    )


@get("/services/missing", name="services.missing")
async def look_for_missing(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    """With `number` in the address, where it is."""
    form, looked = Form.query(request, "number"), None
    if form["number"]:
        try:
            looked = await missing.look_for(identity, form["number"][:40], region=settings.region)
        except Rejected as problem:
            form.reject("number", problem)
    return page(
        request,
        "services/missing",
        status=200 if form else 422,
        form=form,
        looked=looked,
        ask=request_url(request, "merge"),
        ask_here=leads_to(request)("account.requests.make", kind="merge") if not identity.is_impersonating else "",
    )


@get("/services/{service_id:uuid}", name="services.show")
async def show(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    now = clock.now()
    service = await queries.get_service(identity.customer, service_id, now)
    extras = await held_on(identity.customer, service_id, now)
    return page(
        request,
        "services/show",
        service=service,
        extras=extras,
        monthly=monthly_with(service.row.monthly, extras),
        now=now,
        row=service.row,
        offers=_offers(request, identity, service.sold),
        due=await _overdue(request, identity, [service.row], settings),
        moments=await timeline(identity, service),
        may_change=identity.can(Right.CHANGE_OWN_SERVICES),
        ask_to_cancel=request_url(request, "cancellation", about=service_id),
        leaving=await ending.leaving_costs(identity.customer, service_id) if service.contract_ends_on else None,
    )


@get("/services/{service_id:uuid}/name", name="services.name")
async def show_name(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    """The name to be changed, in its row; with ?as=text as it was, for Cancel."""
    row = (await queries.get_service(identity.customer, service_id, clock.now())).row
    form = Form.empty("nickname", nickname=row.nickname or "")
    editing = request.query_params.get("as") != "text"
    return page(request, "services/name", fragment="services/_name", row=row, form=form, editing=editing)


@post("/services/{service_id:uuid}/name", name="services.rename", status_code=200)
async def rename(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    form = await Form.read(request, "nickname")
    nickname = form.text("nickname", most=changes.LONGEST_NICKNAME, least=0)
    if nickname is not None:
        await changes.rename(identity, service_id, nickname)
    if form and not wants_fragment(request):
        return go(request, "services.show", service_id=service_id)
    row = (await queries.get_service(identity.customer, service_id, clock.now())).row
    return page(
        request,
        "services/name",
        fragment="services/_name",
        status=200 if form else 422,
        row=row,
        form=form,
        editing=not form,
    )


@get("/services/{service_id:uuid}/renewal", name="services.renewal")
async def show_renewal(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    return await _renewal_page(request, service_id, identity, ports, Form.empty())


@post("/services/{service_id:uuid}/renewal", name="services.switch_renewal", status_code=200)
async def switch_renewal(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "renews")
    wanted = form.choice("renews", ("on", "off"))
    if wanted:
        try:
            await changes.switch_renewal(identity, service_id, ports.charging, renews=wanted == "on")
        except Rejected as problem:
            form.reject(problem.field, problem)
    if form:
        return go(request, "services.show", service_id=service_id)
    return await _renewal_page(request, service_id, identity, ports, form, status=422)


@get("/services/{service_id:uuid}/cancel", name="services.cancel")
async def show_cancelling(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    """First when and why; with `when` in the address, what that means and the button that does it."""
    form = Form.query(request, "when", "reason", "words")
    asked = form["when"] in WHEN and len(form["words"]) <= ending.LONGEST_REASON
    return await _cancel_page(request, service_id, identity, form, confirming=asked)


@post("/services/{service_id:uuid}/cancel", name="services.cancel_it", status_code=200)
async def cancel(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    form = await Form.read(request, "when", "reason", "words")
    when = form.choice("when", WHEN)
    words = form.text("words", most=ending.LONGEST_REASON, least=0, lines=True)
    reason = form.choice("reason", ("", *ending.REASONS))
    if when and form:
        try:
            await ending.cancel(
                identity,
                service_id,
                when=when,
                reason=reason or None,
                words=words or None,
                key=form.request_key,
                messages=ports.messages,
            )
        except Rejected as problem:
            form.reject(problem.field, problem)
    if form:
        return go(request, "services.show", service_id=service_id)
    return await _cancel_page(request, service_id, identity, form, confirming=False, status=422)


@post("/services/{service_id:uuid}/cancel/undo", name="services.undo_cancel", status_code=200)
async def undo_cancel(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    await ending.undo(identity, service_id, ports.messages)
    return go(request, "services.show", service_id=service_id)


async def _renewal_page(
    request: Request[Any, Any, Any],
    service_id: UUID,
    identity: Identity,
    ports: Ports,
    form: Form,
    *,
    status: int = 200,
) -> Response[bytes]:
    row = (await queries.get_service(identity.customer, service_id, clock.now())).row
    renewal = await changes.renewal_of(identity.customer, service_id, ports.charging)
    ctx = context_of(request)
    cards_url = ctx.url("cards") if "cards" in ctx.site.urls else ""
    return page(request, "services/renewal", status=status, row=row, renewal=renewal, form=form, cards_url=cards_url)


async def _cancel_page(
    request: Request[Any, Any, Any],
    service_id: UUID,
    identity: Identity,
    form: Form,
    *,
    confirming: bool,
    status: int = 200,
) -> Response[bytes]:
    row = (await queries.get_service(identity.customer, service_id, clock.now())).row
    try:
        cancelling = await ending.cancelling_of(identity.customer, service_id)
    except Rejected as problem:
        form.reject(None, problem)
        cancelling, confirming = None, False
    return page(
        request,
        "services/cancel",
        status=status,
        row=row,
        form=form,
        cancelling=cancelling,
        confirming=confirming,
        reasons=ending.reason_words(),
    )


@dataclass(frozen=True, slots=True)
class Overdue:
    """`url` is where it can be paid, or be looked at."""

    amount: Money
    url: str


async def _overdue(
    request: Request[Any, Any, Any], identity: Identity, rows: Sequence[ServiceRow], settings: Settings
) -> Overdue | None:
    """What there is to pay before a service is switched on again; asked for only where one waits for that."""
    if not any(row.status.for_payment for row in rows) or not identity.can(Right.VIEW_OWN_BILLS):
        return None
    ctx, today = context_of(request), clock.today(settings.zone)
    bills = [one for one in await billing.open_bills(identity.customer, today=today) if one.bill.is_overdue(today)]
    if not bills:
        return None
    at_once = "pay_many" in ctx.site.flags or len(bills) == 1
    payable = identity.can(Right.PAY_OWN_BILLS) and at_once and not any(one.payment_id for one in bills)
    url = ctx.url("pay", bill=[one.id for one in bills]) if payable else ctx.url("billing")
    return Overdue(sum((one.bill.remaining for one in bills), Money.zero(identity.customer.currency)), url)


def _offers(
    request: Request[Any, Any, Any], identity: Identity, sold: frozenset[tuple[str, str]]
) -> Callable[[ServiceRow], list[tuple[str, str]]]:
    """For a service what may be done with it and where: what it allows, what the person may, what this portal has."""
    routes = context_of(request).site.urls
    wanted = {
        "pay": ("billing", Right.VIEW_OWN_BILLS),
        "usage": ("usage.service", Right.VIEW_OWN_USAGE),
        "topup": ("topup.service", Right.BUY_TOPUP),
        "addons": ("addons.service", Right.BUY_ADDON),
    }
    possible = {what: route for what, (route, right) in wanted.items() if route in routes and identity.can(right)}

    def of(row: ServiceRow) -> list[tuple[str, str]]:
        for_sale = [what for what, category in _SOLD_AS.items() if (category, row.type) in sold]
        return [(what, possible[what]) for what in offers(row.status, for_sale) if what in possible]

    return of


router = Router(
    "/",
    route_handlers=[
        list_all,
        look_for_missing,
        show,
        show_name,
        rename,
        show_renewal,
        switch_renewal,
        show_cancelling,
        cancel,
        undo_cancel,
    ],
)
