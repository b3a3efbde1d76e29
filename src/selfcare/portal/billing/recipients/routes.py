"""Handlers of /billing/recipients and /billing/copy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.portal.billing.papers import Printer
from selfcare.portal.billing.recipients import copies, recipients
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web import links
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.pages import as_download, go, page

# Nothing of this is for search engines.
PRIVATE = {"X-Robots-Tag": "noindex, nofollow"}


@get("/billing/recipients", name="billing.recipients")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    if not recipients.may_choose(identity):
        raise NotFound
    found = await recipients.list_recipients(identity.customer)
    return page(request, "billing/recipients/index", recipients=found, most=recipients.MOST)


@get("/billing/recipients/new", name="billing.recipients.new")
async def show_new(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    if not recipients.may_choose(identity):
        raise NotFound
    return _new(request, Form.empty("email"))


@post("/billing/recipients/new", name="billing.recipients.add", status_code=200)
async def add(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "email")
    email = form.email()
    if email is not None:
        try:
            await recipients.add(identity, email, key=settings.keys.link, messages=ports.messages)
        except Rejected as problem:
            form.reject(problem.field, problem)
    return go(request, "billing.recipients") if form else _new(request, form, status=422)


@post("/billing/recipients/{recipient_id:uuid}/remove", name="billing.recipients.remove", status_code=200)
async def remove(
    request: Request[Any, Any, Any], recipient_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    await recipients.remove(identity, recipient_id)
    return go(request, "billing.recipients")


@get("/billing/recipients/confirm", name="billing.recipients.confirm")
async def show_confirm(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    if moved := links.moved(request, "billing.recipients.confirm"):
        return moved
    asked = await recipients.asked(links.token_of(request), key=settings.keys.link)
    template = "billing/recipients/confirmed" if asked.confirmed_at else "billing/recipients/confirm"
    return page(request, template, headers=PRIVATE, asked=asked)


@post("/billing/recipients/confirm", name="billing.recipients.confirmed", status_code=200)
async def confirm(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    await Form.read(request)
    asked = await recipients.confirm(
        links.token_of(request),
        context_of(request).origin,
        key=settings.keys.link,
        today=clock.today(settings.zone),
    )
    return page(request, "billing/recipients/confirmed", headers=PRIVATE, asked=asked)


@get("/billing/recipients/stop", name="billing.recipients.stop")
async def show_stop(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    if moved := links.moved(request, "billing.recipients.stop"):
        return moved
    asked = await recipients.receives(links.token_of(request), key=settings.keys.link)
    template = "billing/recipients/stopped" if asked.stopped_at else "billing/recipients/stop"
    return page(request, template, headers=PRIVATE, asked=asked)


@post("/billing/recipients/stop", name="billing.recipients.stopped", status_code=200)
async def stop(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    await Form.read(request)
    await recipients.stop(links.token_of(request), context_of(request).origin, key=settings.keys.link)
    return page(request, "billing/recipients/stopped", headers=PRIVATE)


@get("/billing/copy", name="billing.copy")
async def show_copy(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    if moved := links.moved(request, "billing.copy"):
        return moved
    copy = await copies.get(links.token_of(request), context_of(request).origin, key=settings.keys.link)
    return page(request, "billing/recipients/copy", headers=PRIVATE, copy=copy)


@get("/billing/copy/pdf", name="billing.copy_pdf")
async def download_copy(request: Request[Any, Any, Any], settings: NamedDependency[Settings]) -> Response[bytes]:
    paper = await copies.download(
        links.token_of(request),
        context_of(request).origin,
        key=settings.keys.link,
        printer=Printer(settings.operator, settings.payments == "embedded", settings.zone),
    )
    answer = as_download(paper.name, paper.body, "application/pdf")
    answer.headers.update(PRIVATE)
    return answer


def _new(request: Request[Any, Any, Any], form: Form, *, status: int = 200) -> Response[bytes]:
    return page(
        request,
        "billing/recipients/new",
        fragment="billing/recipients/_new",
        status=status,
        form=form,
        days=recipients.ASKED_FOR.days,
    )


router = Router(
    "/",
    route_handlers=[
        show,
        show_new,
        add,
        remove,
        show_confirm,
        confirm,
        show_stop,
        stop,
        show_copy,
        download_copy,
    ],
)
