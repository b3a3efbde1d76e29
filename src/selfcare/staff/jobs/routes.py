"""Handlers of /staff/jobs."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity.identity import Identity
from selfcare.kernel.errors import NotFound
from selfcare.ports.ports import Ports
from selfcare.web.forms import Form
from selfcare.web.pages import go, page

MOST = 100


@get("/staff/jobs", name="staff.jobs")
async def show(request: Request[Any, Any, Any], ports: NamedDependency[Ports]) -> Response[bytes]:
    return page(request, "staff/jobs/index", jobs=await ports.jobs.given_up(limit=MOST))


@post("/staff/jobs/retry", name="staff.jobs.retry", status_code=200)
async def retry(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], ports: NamedDependency[Ports]
) -> Response[bytes]:
    form = await Form.read(request, "key")
    known = {job.key: job.kind for job in await ports.jobs.given_up(limit=MOST)}
    if form["key"] not in known:
        raise NotFound
    async with transaction():
        await ports.jobs.retry(form["key"])
        await audit.record(identity, Event.JOB_RETRIED, about=form["key"], kind=known[form["key"]])
    return go(request, "staff.jobs")


router = Router("/", route_handlers=[show, retry])
