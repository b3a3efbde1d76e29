"""Handlers of /staff/audit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.response import Stream

from selfcare.audit.events import PACKAGES
from selfcare.audit.queries import BEGINNING, END, Entry
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.place import Place
from selfcare.kernel.words import _
from selfcare.portal.activity.words import sentence_of
from selfcare.settings import Settings
from selfcare.staff.audit_log import alarm, log
from selfcare.staff.audit_log.log import Wanted
from selfcare.web.forms import Form
from selfcare.web.pages import go, page
from selfcare.web.sheets import sheet

FIELDS = ("package", "person", "customer", "grant", "since", "until", "after")
HEADINGS = ("at", "event", "outcome", "actor", "user", "grant", "customer", "about", "address", "request", "details")


@get("/staff/audit", name="staff.audit")
async def show(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    form, wanted = await _asked(request, settings.zone)
    found, names = await log.show(identity, wanted) if form else (None, {})
    return page(
        request,
        "staff/audit_log/index",
        fragment="staff/audit_log/_found",
        status=200 if form else 422,
        form=form,
        found=found,
        names=names,
        packages=sorted(PACKAGES),
        sentence_of=sentence_of,
        is_first=wanted.after is None,
    )


@get("/staff/audit/audit.csv", name="staff.audit_csv")
async def download(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes] | Stream:
    form, wanted = await _asked(request, settings.zone)
    if not form:
        return page(
            request,
            "staff/audit_log/index",
            status=422,
            form=form,
            found=None,
            names={},
            packages=sorted(PACKAGES),
            is_first=True,
        )
    return sheet("audit.csv", HEADINGS, _cells(await log.download(identity, wanted)))


async def _cells(entries: AsyncIterator[tuple[Entry, dict[UUID, str]]]) -> AsyncIterator[tuple[str, ...]]:
    async for entry, names in entries:
        yield (
            entry.at.isoformat(),
            entry.event,
            entry.outcome,
            names.get(entry.actor_id, "") if entry.actor_id else "",
            names.get(entry.user_id, "") if entry.user_id else "",
            str(entry.grant_id or ""),
            str(entry.customer_id or ""),
            entry.about or "",
            entry.address,
            entry.request_id,
            json.dumps(entry.details, sort_keys=True),
        )


async def _asked(request: Request[Any, Any, Any], zone: str) -> tuple[Form, Wanted]:
    form = Form.query(request, *FIELDS)
    package = form.choice("package", PACKAGES) if form["package"] else None
    person = await log.find_person(form["person"].strip()) if form["person"].strip() else None
    if form["person"].strip() and person is None:
        form.reject("person", _("Nobody has this e-mail address."))
    customer = await log.find_customer(form["customer"].strip()) if form["customer"].strip() else None
    if form["customer"].strip() and customer is None:
        form.reject("customer", _("There is no customer with this number."))
    grant = form.uuid("grant", _("That is no number of a visit.")) if form["grant"] else None
    since = form.day("since") if form["since"] else None
    until = form.day("until") if form["until"] else None
    return form, Wanted(
        packages=frozenset({package} if package else ()),
        person=person,
        customer=customer,
        grant=grant,
        since=clock.midnight(since, zone) if since else BEGINNING,
        until=clock.midnight(until, zone, days=1) if until else END,
        after=Place.parse(form["after"]),
    )


@get("/staff/audit/breaks", name="staff.audit_breaks")
async def show_breaks(request: Request[Any, Any, Any]) -> Response[bytes]:
    return await _breaks_page(request, Form.empty("reason"))


@post("/staff/audit/breaks", name="staff.audit_breaks.see", status_code=200)
async def see_breaks(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = await Form.read(request, "reason", several=("seen",))
    reason = form.text("reason", least=10, most=200)
    if reason is None:
        return await _breaks_page(request, form, status=422)
    await alarm.see(identity, form.several["seen"], reason)
    return go(request, "staff.audit_breaks")


async def _breaks_page(request: Request[Any, Any, Any], form: Form, *, status: int = 200) -> Response[bytes]:
    breaks = await alarm.waiting()
    return page(request, "staff/audit_log/breaks", status=status, form=form, breaks=breaks, words_of=alarm.words_of)


router = Router("/", route_handlers=[show, download, show_breaks, see_breaks])
