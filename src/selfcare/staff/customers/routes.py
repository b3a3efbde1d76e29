"""Handlers of /staff/customers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.audit import queries as log
from selfcare.identity import grants
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.numbers import whole
from selfcare.kernel.place import Place
from selfcare.portal.activity.words import role_name, sentence_of
from selfcare.portal.billing import queries as billing
from selfcare.portal.orders import order as orders
from selfcare.portal.orders.words import standing
from selfcare.portal.services import queries as services
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.staff.customers import changes, queries, search
from selfcare.staff.visits import visits
from selfcare.web.forms import Form
from selfcare.web.pages import go, page

# `latest` asks for what was before a moment: this one is over the next.
MOMENT = timedelta(seconds=1)

SHORTEST = 2


@get("/staff/customers", name="staff.customers")
async def find(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    form = Form.query(request, "q")
    found = None
    if form["q"].strip():
        typed = form.text("q", least=SHORTEST, most=254)
        if typed:
            found = await search.find(identity, typed, region=settings.region)
    return page(
        request,
        "staff/customers/index",
        fragment="staff/customers/_found",
        status=200 if form else 422,
        form=form,
        found=found,
    )


@get("/staff/customers/{customer_id:uuid}", name="staff.customers.show")
async def show(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    customer = await queries.get(identity, customer_id, "overview")
    sites, counts = await queries.overview(customer_id)
    return page(
        request,
        "staff/customers/show",
        customer=customer,
        sites=sites,
        counts=counts,
        contacts=await queries.contacts(customer_id),
        visits=await grants.list_open(identity),
    )


@get("/staff/customers/{customer_id:uuid}/contacts", name="staff.customers.contacts")
async def show_contacts(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    return page(
        request,
        "staff/customers/contacts",
        customer=await queries.get(identity, customer_id, "contacts"),
        contacts=await queries.contacts(customer_id),
        why_not=partial(visits.why_not, identity),
        role_name=role_name,
    )


@get("/staff/customers/{customer_id:uuid}/services", name="staff.customers.services")
async def show_services(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    customer = await queries.get(identity, customer_id, "services")
    asked = services.Asked(page=_page(request))
    return page(
        request,
        "staff/customers/services",
        customer=customer,
        services=await services.list_services(customer.scope, asked, clock.now()),
    )


@get("/staff/customers/{customer_id:uuid}/billing", name="staff.customers.billing")
async def show_billing(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    customer = await queries.get(identity, customer_id, "billing")
    today = clock.today(customer.scope.zone)
    return page(
        request,
        "staff/customers/billing",
        customer=customer,
        bills=await billing.list_invoices(customer.scope, today=today, page=_page(request)),
        due=billing.due_of(await billing.open_bills(customer.scope, today=today), customer.scope),
    )


@get("/staff/customers/{customer_id:uuid}/orders", name="staff.customers.orders")
async def show_orders(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    customer = await queries.get(identity, customer_id, "orders")
    now = clock.now()
    return page(
        request,
        "staff/customers/orders",
        customer=customer,
        orders=[(one, standing(one, now)) for one in await orders.latest(customer.scope, before=now + MOMENT)],
        payments=await queries.payments(customer_id),
    )


@get("/staff/customers/{customer_id:uuid}/messages", name="staff.customers.messages")
async def show_messages(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    return page(
        request,
        "staff/customers/messages",
        customer=await queries.get(identity, customer_id, "messages"),
        messages=await queries.messages(customer_id),
    )


@get("/staff/customers/{customer_id:uuid}/activity", name="staff.customers.activity")
async def show_activity(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    customer = await queries.get(identity, customer_id, "activity")
    after = Place.parse(request.query_params.get("after", ""))
    found = await log.list_of_customer(customer_id, after=after)
    actors = {who for entry in found.entries if (who := entry.actor_id or entry.user_id)}
    return page(
        request,
        "staff/customers/activity",
        customer=customer,
        entries=found.entries,
        older=found.next,
        is_first=after is None,
        names=await queries.names(actors),
        sentence_of=sentence_of,
    )


@get("/staff/customers/{customer_id:uuid}/notes", name="staff.customers.notes")
async def show_notes(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    customer = await queries.get(identity, customer_id, "notes")
    return await _notes_page(request, customer, Form.empty("words"))


@post("/staff/customers/{customer_id:uuid}/notes", name="staff.customers.add_note", status_code=200)
async def add_note(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    form = await Form.read(request, "words")
    words = form.text("words", most=2000, lines=True)
    if not words:
        return await _notes_page(request, await queries.find(customer_id), form, status=422)
    await queries.add_note(identity, customer_id, words)
    return go(request, "staff.customers.notes", customer_id=customer_id)


@get("/staff/customers/{customer_id:uuid}/change", name="staff.customers.change")
async def show_change(
    request: Request[Any, Any, Any], customer_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    customer = await queries.get(identity, customer_id, "change")
    return await _change_page(request, customer, Form.empty("type", "contact", "keep", "email", "reason"))


@post("/staff/customers/{customer_id:uuid}/type", name="staff.customers.set_type", status_code=200)
async def set_type(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    customer = await queries.find(customer_id)
    form = await Form.read(request, "type", "reason")
    kind, reason = form.choice("type", changes.TYPES), form.text("reason", least=10, most=200)
    if form and kind and reason:
        try:
            await changes.change_type(identity, customer_id, kind, reason, messages=ports.messages)
        except Rejected as problem:
            form.reject(problem.field, problem)
        else:
            return go(request, "staff.customers.show", customer_id=customer_id)
    return await _change_page(request, customer, form, status=422, which="t-")


@post("/staff/customers/{customer_id:uuid}/primary", name="staff.customers.set_primary", status_code=200)
async def set_primary(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    customer = await queries.find(customer_id)
    form = await Form.read(request, "contact", "reason")
    contact, reason = form.uuid("contact"), form.text("reason", least=10, most=200)
    if form and contact and reason:
        await changes.change_primary(identity, customer_id, contact, reason, messages=ports.messages)
        return go(request, "staff.customers.contacts", customer_id=customer_id)
    return await _change_page(request, customer, form, status=422, which="p-")


@post("/staff/customers/{customer_id:uuid}/merge", name="staff.customers.merge", status_code=200)
async def merge(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    customer = await queries.find(customer_id)
    form = await Form.read(request, "keep", "email", "reason")
    keep, email = form.uuid("keep"), form.email()
    reason = form.text("reason", least=10, most=200)
    if form and keep and email and reason:
        try:
            await changes.merge(identity, customer_id, keep, email, reason, messages=ports.messages)
        except Rejected as problem:
            form.reject(problem.field, problem)
        else:
            return go(request, "staff.customers.contacts", customer_id=customer_id)
    return await _change_page(request, customer, form, status=422, which="m-")


@post("/staff/customers/{customer_id:uuid}/messages/{message_id:uuid}", name="staff.customers.resend", status_code=200)
async def resend(
    request: Request[Any, Any, Any],
    customer_id: FromPath[UUID],
    message_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
) -> Response[bytes]:
    await Form.read(request)
    await changes.send_again(identity, customer_id, message_id, messages=ports.messages)
    return go(request, "staff.customers.messages", customer_id=customer_id)


async def _change_page(
    request: Request[Any, Any, Any], customer: queries.Customer, form: Form, *, status: int = 200, which: str = ""
) -> Response[bytes]:
    return page(
        request,
        "staff/customers/change",
        status=status,
        which=which,
        customer=customer,
        form=form,
        contacts=await queries.contacts(customer.id),
    )


async def _notes_page(
    request: Request[Any, Any, Any], customer: queries.Customer, form: Form, *, status: int = 200
) -> Response[bytes]:
    return page(
        request,
        "staff/customers/notes",
        fragment="staff/customers/_notes",
        status=status,
        customer=customer,
        form=form,
        notes=await queries.notes(customer.id),
    )


def _page(request: Request[Any, Any, Any]) -> int:
    return whole(request.query_params.get("page", ""), least=1, most=10_000) or 1


router = Router(
    "/",
    route_handlers=[
        find,
        show,
        show_contacts,
        show_services,
        show_billing,
        show_orders,
        show_messages,
        show_activity,
        show_notes,
        show_change,
        set_type,
        set_primary,
        merge,
        resend,
        add_note,
    ],
)
