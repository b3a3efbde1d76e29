"""Handlers of /pay/autopay."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency

from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.portal.pay.autopay import consents
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/pay/autopay", name="pay.autopay")
async def show(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    return await _page(request, identity, settings, Form.empty())


@post("/pay/autopay", name="pay.switch_autopay", status_code=200)
async def switch(
    request: Request[Any, Any, Any], identity: NamedDependency[Identity], settings: NamedDependency[Settings]
) -> Response[bytes]:
    form = await Form.read(request, "on")
    wanted = form.choice("on", ("yes", "no"))
    if wanted == "yes":
        try:
            await consents.switch_on(identity, consents.consent_words(settings.operator.name))
        except Rejected as problem:
            form.reject(None, problem)
    elif wanted == "no":
        await consents.switch_off(identity)
    if not form:
        return await _page(request, identity, settings, form, status=422)
    return go(request, "pay.autopay")


async def _page(
    request: Request[Any, Any, Any], identity: Identity, settings: Settings, form: Form, *, status: int = 200
) -> Response[bytes]:
    overview = await consents.overview(identity.customer, today=clock.today(settings.zone))
    words = consents.consent_words(settings.operator.name)
    return page(request, "pay/autopay/index", status=status, overview=overview, words=words, form=form)


router = Router("/", route_handlers=[show, switch])
