"""Handlers of /topup/voucher."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.limits import TooOften
from selfcare.kernel.errors import Rejected
from selfcare.portal.orders.shop import Shop
from selfcare.portal.topup import queries
from selfcare.portal.topup.vouchers import vouchers
from selfcare.portal.topup.vouchers.vouchers import Already, Used
from selfcare.ports.ports import Ports
from selfcare.settings import Settings
from selfcare.web.forms import Form
from selfcare.web.pages import go, page


@get("/topup/voucher", name="topup.voucher")
async def ask(request: Request[Any, Any, Any], identity: NamedDependency[Identity]) -> Response[bytes]:
    form = Form.empty("code", service=request.query_params.get("service", ""))
    return await _page(request, identity, form)


@post("/topup/voucher", name="topup.use_voucher", status_code=200)
async def use(
    request: Request[Any, Any, Any],
    identity: NamedDependency[Identity],
    ports: NamedDependency[Ports],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    form = await Form.read(request, "code", "service")
    service_id = form.uuid("service") if form["service"] else None
    if not form:
        return await _page(request, identity, form, status=422)
    keys = [each.link for each in settings.key_ring]
    shop = Shop.of(ports, settings)
    try:
        used = await vouchers.use(shop, identity, form["code"], service_id, keys=keys, request_key=form.request_key)
    except TooOften as wait:
        form.reject("code", wait.message)
        return await _page(request, identity, form, status=429)
    except Already as before:
        form.reject("code", before)
        return await _page(request, identity, form, status=422, before=before.used)
    except Rejected as problem:
        form.reject(problem.field, problem)
        return await _page(request, identity, form, status=422)
    if used.order_id is not None:
        return go(request, "orders.show", event="balance-changed", order_id=used.order_id)
    return go(request, "topup.voucher.used", voucher_id=used.id)


@get("/topup/voucher/{voucher_id:uuid}", name="topup.voucher.used")
async def show(
    request: Request[Any, Any, Any], voucher_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    return page(request, "topup/vouchers/used", used=await vouchers.get(identity.customer, voucher_id))


async def _page(
    request: Request[Any, Any, Any], identity: Identity, form: Form, *, status: int = 200, before: Used | None = None
) -> Response[bytes]:
    targets = await queries.list_targets(identity.customer)
    if len(targets) == 1 and not form["service"]:
        form.values["service"] = str(targets[0].id)
    return page(
        request,
        "topup/vouchers/index",
        fragment="topup/vouchers/_form",
        status=status,
        targets=[(str(target.id), target.name) for target in targets],
        form=form,
        before=before,
    )


router = Router("/", route_handlers=[ask, use, show])
