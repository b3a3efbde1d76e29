"""Handlers of /services/{service_id}/sim."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from selfcare.identity.identity import Identity
from selfcare.identity.rights import Right
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.portal.services import queries
from selfcare.portal.services.sim import sims
from selfcare.settings import Settings
from selfcare.web.context import context_of
from selfcare.web.forms import Form
from selfcare.web.leads import request_url
from selfcare.web.pages import page


@get("/services/{service_id:uuid}/sim", name="services.sim")
async def show(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    return page(
        request,
        "services/sim/index",
        row=(await queries.get_service(identity.customer, service_id, clock.now())).row,
        sim=await sims.get_sim(identity.customer, service_id),
        may_codes=identity.can(Right.CHANGE_OWN_SERVICES) and not identity.is_impersonating,
    )


@get("/services/{service_id:uuid}/sim/puk", name="services.sim.puk")
async def ask_puk(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    """What a wrong one does, before it is shown."""
    sim = await sims.get_sim(identity.customer, service_id)
    if not sim.has_puk:
        raise NotFound
    return await _codes_page(request, service_id, identity, None)


@post("/services/{service_id:uuid}/sim/puk", name="services.sim.show_puk", status_code=200)
async def show_puk(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    await Form.read(request)
    codes = await sims.show_codes(identity, service_id, settings.sim_keys)
    return await _codes_page(request, service_id, identity, codes)


@get("/services/{service_id:uuid}/sim/install", name="services.sim.install")
async def ask_activation(
    request: Request[Any, Any, Any], service_id: FromPath[UUID], identity: NamedDependency[Identity]
) -> Response[bytes]:
    sim = await sims.get_sim(identity.customer, service_id)
    if not sim.is_esim:
        raise NotFound
    return await _install_page(request, service_id, identity, sim, None)


@post("/services/{service_id:uuid}/sim/install", name="services.sim.show_activation", status_code=200)
async def show_activation(
    request: Request[Any, Any, Any],
    service_id: FromPath[UUID],
    identity: NamedDependency[Identity],
    settings: NamedDependency[Settings],
) -> Response[bytes]:
    await Form.read(request)
    sim = await sims.get_sim(identity.customer, service_id)
    activation = await sims.show_activation(identity, service_id, settings.sim_keys) if sim.installable else None
    return await _install_page(request, service_id, identity, sim, activation)


async def _codes_page(
    request: Request[Any, Any, Any], service_id: UUID, identity: Identity, codes: sims.Codes | None
) -> Response[bytes]:
    return page(
        request,
        "services/sim/puk",
        headers=_gone_after(request, service_id, sims.PUK_SHOWN_SECONDS) if codes else None,
        row=(await queries.get_service(identity.customer, service_id, clock.now())).row,
        codes=codes,
        seconds=sims.PUK_SHOWN_SECONDS,
        tries=sims.WRONG_PUKS,
    )


async def _install_page(
    request: Request[Any, Any, Any],
    service_id: UUID,
    identity: Identity,
    sim: sims.Sim,
    activation: sims.Activation | None,
) -> Response[bytes]:
    return page(
        request,
        "services/sim/install",
        headers=_gone_after(request, service_id, sims.ESIM_SHOWN_SECONDS) if activation else None,
        row=(await queries.get_service(identity.customer, service_id, clock.now())).row,
        sim=sim,
        activation=activation,
        minutes=sims.ESIM_SHOWN_SECONDS // 60,
        ask_new=request_url(request, "provisioning", about=service_id),
    )


def _gone_after(request: Request[Any, Any, Any], service_id: UUID, seconds: int) -> dict[str, str]:
    """Back to the page without codes, by the browser itself: it needs no script."""
    return {"Refresh": f"{seconds}; url={context_of(request).url('services.sim', service_id=service_id)}"}


router = Router("/", route_handlers=[show, ask_puk, show_puk, ask_activation, show_activation])
