"""Handlers of /account/export."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.kernel.errors import Conflict
from selfcare.portal.account.export import exports
from selfcare.ports.ports import Ports
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/account/export", name="account.export")
async def show(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    return page(request, "account/export/index", copy=await exports.latest(identity), form=Form.empty())


@post("/account/export", name="account.export.ask", status_code=200)
async def ask(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    form, status = await Form.read(request), 409
    try:
        await exports.ask(identity, ports.jobs)
        return go(request, "account.export")
    except TooOften as problem:
        status = 429
        form.reject(None, problem.message)
    except Conflict as problem:
        form.reject(None, problem.message)
    copy = await exports.latest(identity)
    return page(request, "account/export/index", fragment="account/export/_copy", status=status, copy=copy, form=form)


@get("/account/export/{export_id:uuid}", name="account.export.show")
async def show_one(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], export_id: FromPath[UUID]
) -> Response[bytes]:
    """Where the mail's link leads: the page says whether the file is still there."""
    return page(request, "account/export/index", copy=await exports.get(identity, export_id), form=Form.empty())


@get("/account/export/{export_id:uuid}/file", name="account.export.file")
async def fetch(identity: NamedDependency[Identity], export_id: FromPath[UUID]) -> Stream:
    size, pieces = await exports.open_file(identity, export_id)
    return Stream(
        pieces,
        media_type="application/zip",
        headers={
            "Content-Disposition": 'attachment; filename="my-data.zip"',
            "Content-Length": str(size),
            "Cache-Control": "no-store, private",
            "Vary": "Cookie",
        },
    )


router = Router("/", route_handlers=[show, ask, show_one, fetch])
