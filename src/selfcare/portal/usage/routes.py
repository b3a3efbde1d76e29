"""Handlers of /usage."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected, Unavailable
from selfcare.kernel.words import _
from selfcare.portal.help import tips
from selfcare.portal.services import queries as services
from selfcare.portal.usage import abroad, balances, queries, records
from selfcare.portal.usage.balances import Balance
from selfcare.portal.usage.history import Step
from selfcare.ports.charging import Record
from selfcare.ports.ports import Ports
from selfcare.web import waiting
from selfcare.web.forms import Form
from selfcare.web.leads import leads_to
from selfcare.web.pages import go, page, wants_fragment

# Shorter than the patience of usual proxies.
LONGEST_WAIT_SECONDS = 55
SAID = ("kind", "class", "first", "last")


@get("/usage", name="usage")
async def show_all(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    asked = services.asked_by(request.query_params)
    overview = await queries.overview(identity.customer, ports.charging, clock.now(), asked)
    return page(request, "usage/index", fragment="usage/_services", overview=overview)


@get("/usage/{service_id:uuid}", name="usage.service")
async def show(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    return await _usage_page(request, service_id, identity, ports)


@get("/usage/{service_id:uuid}/refresh", name="usage.refresh")
async def refresh(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    """Asks the meter; who asks too often sees what is known."""
    await balances.must_have(identity.customer, service_id)
    if not await limits.allows(limits.REFRESHES_BY_USER, str(identity.actor_id)):
        return await _usage_page(request, service_id, identity, ports, too_often=True)
    await ports.charging.look(identity.customer, service_id)
    return go(request, "usage.service", service_id=service_id)


async def _usage_page(
    request: Request[Any, Any, Any], service_id: UUID, identity: Identity, ports: Ports, *, too_often: bool = False
) -> Response[bytes]:
    said = request.query_params
    usage = await queries.usage_of(
        identity.customer,
        ports.charging,
        service_id,
        clock.now(),
        kind=said.get("kind"),
        step=_step(said.get("step", "")),
        until=_day(said.get("until", "")),
    )
    return page(
        request,
        "usage/show",
        fragment="usage/_history",
        status=429 if too_often else 200,
        too_often=too_often,
        usage=usage,
        balance=usage.balance,
        row=usage.balance.row,
        why_here=queries.why_here,
        may_records=identity.can(Right.VIEW_OWN_RECORDS),
        tip=await tips.find(identity, "usage", but=_needless_tips(identity, usage.balance, leads_to(request))),
        leads_to=leads_to(request),
    )


@get("/usage/{service_id:uuid}/balance", name="usage.balance")
async def show_balance(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    """htmx says which `revision` it shows, and is answered as soon as there is another one, or 204 in the end."""
    known = request.query_params.get("revision", "")
    if known and wants_fragment(request):
        await balances.must_have(identity.customer, service_id)

        async def news() -> bool:
            return await ports.charging.revision(identity.customer, [service_id]) != known

        try:
            changed = await waiting.until(news, seconds=_seconds(request.query_params.get("wait", "")))
        except Unavailable:
            changed = False
        if not changed:
            return Response(b"", status_code=204, headers={"Cache-Control": "no-store"})
    balance = await balances.balance_of(identity.customer, ports.charging, service_id, clock.now())
    return page(
        request,
        "usage/balance",
        fragment="usage/_balance",
        balance=balance,
        row=balance.row,
        why_here=queries.why_here,
    )


@get("/usage/{service_id:uuid}/why", name="usage.why")
async def show_why(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    balance = await balances.balance_of(identity.customer, ports.charging, service_id, clock.now())
    return page(
        request,
        "usage/why",
        balance=balance,
        row=balance.row,
        falls=queries.waterfalls_of(balance),
        why_used=queries.why_used,
        why_put_in=queries.why_put_in,
        busiest=await queries.busiest(identity.customer, ports.charging, balance),
    )


@get("/usage/{service_id:uuid}/abroad", name="usage.abroad")
async def show_abroad(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    balance = await balances.balance_of(identity.customer, ports.charging, service_id, clock.now())
    return page(
        request,
        "usage/abroad",
        balance=balance,
        row=balance.row,
        abroad=await abroad.used_abroad(identity.customer, ports.charging, balance),
        passes=await abroad.passes_on_sale(balance),
        buy=leads_to(request)("addons.service", service_id=service_id)
        if balance.row.status.is_running and identity.can(Right.BUY_ADDON)
        else "",
        why_here=queries.why_here,
    )


@get("/usage/{service_id:uuid}/records", name="usage.records")
async def list_records(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    scope = identity.customer
    form, wanted = _wanted(request)
    service = await services.get_service(scope, service_id, clock.now())
    after = request.query_params.get("after")
    found = None
    if form:
        try:
            asked = wanted.asked(service_id, scope.zone)
            found = await ports.charging.records(scope, asked, after=after, limit=records.PER_PAGE)
        except Unavailable:
            found = None
    whole = not identity.is_impersonating
    return page(
        request,
        "usage/records",
        fragment="usage/_records",
        status=200 if form else 422,
        row=service.row,
        form=form,
        wanted=wanted,
        found=found,
        after=after,
        party=partial(records.shown_party, whole=whole),
        said={name: value for name, value in request.query_params.items() if name in SAID and value},
    )


@get("/usage/{service_id:uuid}/records.csv", name="usage.records_csv")
async def download_csv(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Stream:
    pages = await _download(request, service_id, identity, ports, "csv")
    return _file(records.as_csv(pages, identity.customer.zone), "text/csv", "usage.csv")


@get("/usage/{service_id:uuid}/records.json", name="usage.records_json")
async def download_json(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Stream:
    pages = await _download(request, service_id, identity, ports, "json")
    return _file(records.as_json(pages, identity.customer.zone), "application/json", "usage.json")


async def _download(
    request: Request[Any, Any, Any], service_id: UUID, identity: Identity, ports: Ports, form: str
) -> AsyncIterator[tuple[Record, ...]]:
    await balances.must_have(identity.customer, service_id)
    typed, wanted = _wanted(request)
    if not typed:
        raise Rejected(next(iter(typed.errors.values())))
    asked = wanted.asked(service_id, identity.customer.zone)
    if not (await ports.charging.health()).ok:
        raise Unavailable(_("We cannot reach the meter right now. Come back in a few minutes."))
    await records.fetched(identity, service_id, form)
    return records.pages_of(ports.charging, identity, asked)


def _needless_tips(identity: Identity, balance: Balance, leads_to: Callable[..., str]) -> list[str]:
    """What does not matter where nothing can run out, nothing can be put in, or no warning be asked for."""
    if not any(line.buckets and not line.is_unlimited for line in balance.lines):
        return ["top_up_in_time", "warnings", "watch_usage", "throttling"]
    possible = {
        "top_up_in_time": balance.can_top_up and identity.can(Right.BUY_TOPUP),
        "warnings": bool(leads_to("account.notifications")),
    }
    return [tip for tip, is_possible in possible.items() if not is_possible]


def _file(content: AsyncIterator[bytes], media_type: str, name: str) -> Stream:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Stream(content, media_type=media_type, headers=headers)


def _wanted(request: Request[Any, Any, Any]) -> tuple[Form, records.Wanted]:
    """The filter as it was typed, and what it means."""
    form = Form.query(request, "kind", "class", "first", "last")
    first, last = _day(form["first"]), _day(form["last"])
    for name, day in (("first", first), ("last", last)):
        if form[name] and day is None:
            form.reject(name, _("Enter a date like 2026-12-01."))
    if first and last and first > last:
        form.reject("last", _("Choose a last day on or after the first."))
    wanted = records.Wanted(
        kind=form["kind"] if form["kind"] in records.KINDS else "",
        class_=form["class"] if form["class"] in records.CLASSES else "",
        first=first,
        last=last,
    )
    return form, wanted


def _seconds(text: str) -> float:
    digits = text.isascii() and text.isdigit() and len(text) <= 3
    return min(int(text), LONGEST_WAIT_SECONDS) if digits else LONGEST_WAIT_SECONDS


def _step(text: str) -> Step:
    return Step(text) if text in list(Step) else Step.DAY


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


router = Router(
    "/",
    route_handlers=[
        show_all,
        show,
        refresh,
        show_balance,
        show_why,
        show_abroad,
        list_records,
        download_csv,
        download_json,
    ],
)
