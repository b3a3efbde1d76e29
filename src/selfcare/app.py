"""Builds the application: routers in the order people meet them, wrappers, error pages, start and stop.

The only file that knows all. Nothing happens at import.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import httpx
from litestar import Litestar, Request
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.types import ControllerRouterHandler

from selfcare import background, flags, places
from selfcare.adapters import outgoing
from selfcare.adapters.cgrates_wire import Engine
from selfcare.adapters.cgrates_words import Dialect
from selfcare.adapters.charging_cgrates import CgratesCharging
from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.adapters.payments_embedded import SimulatedGateway
from selfcare.adapters.payments_embedded_hooks import HOOK
from selfcare.adapters.provisioning_embedded import EmbeddedProvisioning
from selfcare.adapters.provisioning_http import HttpProvisioning
from selfcare.api.feeds import routes as feeds
from selfcare.api.hooks import routes as hooks
from selfcare.audit import log as audit
from selfcare.db.engine import open_database
from selfcare.demo import outbox as demo_outbox
from selfcare.demo import panel as demo_panel
from selfcare.demo import simpay, styleguide
from selfcare.identity import limits
from selfcare.identity.passwords import Passwords
from selfcare.identity.requirement import Requirement
from selfcare.kernel.errors import NotFound, SelfcareError
from selfcare.live.standing import Standing
from selfcare.messages.outbox import Outbox
from selfcare.portal.account import routes as account
from selfcare.portal.account.details import routes as details
from selfcare.portal.account.erasure import routes as erasure
from selfcare.portal.account.export import routes as export
from selfcare.portal.account.people import routes as people
from selfcare.portal.account.preferences import routes as preferences
from selfcare.portal.account.requests import routes as requests
from selfcare.portal.account.security import routes as security
from selfcare.portal.account.sign_ins import routes as own_sign_ins
from selfcare.portal.activity import routes as activity
from selfcare.portal.addons import routes as addons
from selfcare.portal.billing import routes as billing
from selfcare.portal.billing.promise import routes as payment_promise
from selfcare.portal.billing.recipients import routes as recipients
from selfcare.portal.billing.statement import routes as statement
from selfcare.portal.bundles import routes as bundles
from selfcare.portal.cards import routes as cards
from selfcare.portal.dashboard import routes as dashboard
from selfcare.portal.help import routes as help_
from selfcare.portal.orders import routes as orders
from selfcare.portal.pay import routes as pay
from selfcare.portal.pay.autopay import routes as autopay
from selfcare.portal.pay.guests import routes as guests
from selfcare.portal.quick_topup import routes as quick_topup
from selfcare.portal.services import routes as services
from selfcare.portal.services.change import routes as services_change
from selfcare.portal.services.plan import routes as services_plan
from selfcare.portal.services.sim import routes as services_sim
from selfcare.portal.sign_in import routes as sign_in
from selfcare.portal.sign_in.proof import routes as proof
from selfcare.portal.sign_in.recovery import routes as recovery
from selfcare.portal.sign_up import routes as sign_up
from selfcare.portal.topup import routes as topup
from selfcare.portal.topup.auto import routes as auto_topup
from selfcare.portal.topup.other import routes as topup_other
from selfcare.portal.topup.promise import routes as promise
from selfcare.portal.topup.vouchers import routes as vouchers
from selfcare.portal.usage import routes as usage
from selfcare.ports.charging import Charging
from selfcare.ports.jobs import Jobs
from selfcare.ports.payments import PaymentGateway
from selfcare.ports.ports import Ports
from selfcare.ports.provisioning import Provisioning
from selfcare.settings import Settings
from selfcare.staff import routes as staff
from selfcare.staff.approvals import routes as staff_approvals
from selfcare.staff.audit_log import routes as staff_audit
from selfcare.staff.catalogue import routes as staff_catalogue
from selfcare.staff.customers import routes as staff_customers
from selfcare.staff.figures import routes as staff_figures
from selfcare.staff.jobs import routes as staff_jobs
from selfcare.staff.money import routes as staff_money
from selfcare.staff.orders import routes as staff_orders
from selfcare.staff.people import routes as staff_people
from selfcare.staff.requests import routes as staff_requests
from selfcare.staff.settings import routes as staff_settings
from selfcare.staff.transfers import routes as staff_transfers
from selfcare.staff.visits import routes as staff_visits
from selfcare.web import errors, health
from selfcare.web.assets import Assets
from selfcare.web.context import Site, context_of
from selfcare.web.cookies import Cookies
from selfcare.web.guards import gatekeeper, left_alone
from selfcare.web.templating import Compiled, Templates
from selfcare.web.urls import Urls
from selfcare.web.wrappers import Outside

ROUTERS: tuple[ControllerRouterHandler, ...] = (
    health.router,
    sign_in.router,
    recovery.router,
    sign_up.router,
    proof.router,
    dashboard.router,
    services.router,
    services_change.router,
    services_plan.router,
    services_sim.router,
    usage.router,
    billing.router,
    recipients.router,
    payment_promise.router,
    statement.router,
    pay.router,
    autopay.router,
    guests.router,
    cards.router,
    topup.router,
    auto_topup.router,
    addons.router,
    bundles.router,
    vouchers.router,
    topup_other.router,
    promise.router,
    quick_topup.router,
    orders.router,
    account.router,
    details.router,
    preferences.router,
    security.router,
    own_sign_ins.router,
    people.router,
    requests.router,
    export.router,
    erasure.router,
    activity.router,
    help_.router,
    staff.router,
    staff_requests.router,
    staff_customers.router,
    staff_visits.router,
    staff_people.router,
    staff_money.router,
    staff_approvals.router,
    staff_transfers.router,
    staff_orders.router,
    staff_jobs.router,
    staff_figures.router,
    staff_audit.router,
    staff_settings.router,
    staff_catalogue.router,
    feeds.router,
    hooks.router,
)


class Application(Outside):
    """The wrapped ASGI application, with what tests and the command line want to reach."""

    def __init__(self, inside: Litestar, site: Site, ports: Ports, console: Site | None):
        super().__init__(inside, site, console)
        self.inside = inside
        self.ports = ports

    async def catch_up(self) -> int:
        """Do the background work that is due, one by one; for tests and tools."""
        return await self.ports.jobs.drain(background.registry(self.site.settings, self.ports))


def build_ports(settings: Settings) -> Ports:
    """The adapters that the settings name."""
    jobs = EmbeddedJobs()
    return Ports(
        jobs=jobs,
        messages=Outbox(jobs, background.messages_keys(settings)),
        charging=_charging(settings, jobs),
        payments=_payments(settings, jobs),
        provisioning=_provisioning(settings),
    )


def _provisioning(settings: Settings) -> Provisioning:
    if settings.provisioning == "embedded":
        return EmbeddedProvisioning()
    return HttpProvisioning(settings.provisioning_url, settings.provisioning_secret)


def _payments(settings: Settings, jobs: Jobs) -> PaymentGateway:
    if settings.payments == "embedded":
        return SimulatedGateway(jobs, key=settings.keys.payments, public_url=settings.public_url)
    # A third of a second to import, and only where it is used.
    from selfcare.adapters.payments_stripe import StripeGateway

    return StripeGateway(
        settings.stripe_key,
        webhook_secrets=settings.stripe_webhook_secret,
        api=settings.stripe_api_base,
        pages=settings.stripe_pages,
    )


def _charging(settings: Settings, jobs: Jobs) -> Charging:
    if settings.charging == "embedded":
        return EmbeddedCharging(jobs)
    dialect = Dialect(
        tenant=settings.cgrates_tenant,
        monetary_scale=settings.cgrates_monetary_scale,
        weight_base=settings.cgrates_weight_base,
        destinations=dict(each.split("=", 1) for each in settings.cgrates_destinations),
    )
    return CgratesCharging(Engine(settings.cgrates_url), dialect)


def create_app(settings: Settings, ports: Ports | None = None, *, worker: bool = False) -> Application:
    """The application for these settings; with `worker` it also does the background jobs."""
    ports = ports or build_ports(settings)
    passwords = Passwords(
        memory_kib=settings.argon2_memory_kib, passes=settings.argon2_passes, threads=settings.argon2_threads
    )
    standing = Standing(settings)
    inside = Litestar(
        route_handlers=[*ROUTERS, *_demo_routers(settings)],
        before_request=gatekeeper,
        dependencies=_dependencies(ports, passwords),
        exception_handlers={
            HTTPException: errors.on_http_error,
            SelfcareError: errors.on_domain_error,
            Exception: errors.on_any_error,
        },
        lifespan=[_lifespan(standing, ports, passwords, worker=worker)],
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    if paths := left_alone(inside):
        raise RuntimeError(f"nobody stands before {paths}")
    sites = Sites(standing, Urls.of(inside))
    application = Application(inside, sites.site_of(settings), ports, sites.console_of(settings))

    async def follow(settings: Settings) -> None:
        # Making a style sheet small takes a moment that others should not wait for.
        application.site = await asyncio.to_thread(sites.site_of, settings)
        application.console = await asyncio.to_thread(sites.console_of, settings)

    standing.follow(follow)
    if isinstance(ports.payments, SimulatedGateway):
        # Through the real route, and without a network where it is this very process that answers.
        ports.payments.hooks.deliver = partial(_deliver_to, application)
    return application


class Sites:
    """Makes the site for the settings that are in force. What does not depend on them is made once."""

    def __init__(self, standing: Standing, urls: Urls):
        self.standing = standing
        self.urls = urls
        self.compiled = Compiled()
        self.css = standing.given.operator.css()
        self.assets = Assets(places.folder("static"), extra_css=self.css)

    def console_of(self, settings: Settings) -> Site | None:
        """The same under the address of the staff: forms are to come from there, and passkeys belong there."""
        if not settings.staff_url:
            return None
        return replace(self.site_of(replace(settings, public_url=settings.staff_url)), serves="console")

    def site_of(self, settings: Settings) -> Site:
        theme = settings.operator
        if theme.css() != self.css:
            self.css = theme.css()
            self.assets = self.assets.restyled(self.css)
        templates = Templates(
            places.folder("templates"),
            development=settings.env == "development",
            compiled=self.compiled,
            settings=settings,
            operator=theme,
            asset=self.assets.url,
        )
        switched_on = flags.enabled(settings)
        return Site(
            self.standing,
            "portal" if settings.staff_url else "all",
            settings,
            templates,
            self.assets,
            self.urls,
            Cookies.of(settings.public_url),
            switched_on,
            Requirement.of(settings, switched_on),
        )


async def _deliver_to(application: Application, body: bytes, headers: Mapping[str, str]) -> None:
    transport = httpx.ASGITransport(cast(Any, application))
    host = urlsplit(application.site.settings.public_url).hostname or ""
    async with outgoing.client(host, transport=transport) as http:
        answer = await http.post(application.site.settings.public_url + HOOK, content=body, headers=dict(headers))
        answer.raise_for_status()


def _lifespan(
    standing: Standing, ports: Ports, passwords: Passwords, *, worker: bool
) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def running(_app: Litestar) -> AsyncIterator[None]:
        configure(standing.given)
        database = await open_database(standing.given.database_url)
        stop = asyncio.Event()
        await standing.look()
        tasks = [asyncio.create_task(standing.watch(stop))]
        if worker:
            tasks.append(asyncio.create_task(background.work(standing, ports, stop)))
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)
            passwords.close()
            await database.close()

    return running


def configure(settings: Settings) -> None:
    """Hand the derived keys to those who hash with them; every process does this before it opens the database."""
    audit.configure(*(keys.audit for keys in settings.key_ring))
    limits.configure(settings.keys.lockout)


def _dependencies(ports: Ports, passwords: Passwords) -> dict[str, Provide]:
    """What handlers may ask for by name.

    Each asks for one before it: for two that know nothing of each other Litestar starts tasks, an eighth of a page.
    Who is asking and the passwords are hardly ever asked for together.
    """
    the_ports, the_passwords = ports, passwords

    def give_settings(request: Request[Any, Any, Any]) -> Any:
        return context_of(request).site.settings

    def give_ports(settings: NamedDependency[Any]) -> Any:
        return the_ports

    def give_passwords(ports: NamedDependency[Any]) -> Any:
        return the_passwords

    def give_identity(request: Request[Any, Any, Any], ports: NamedDependency[Any]) -> Any:
        identity = context_of(request).identity
        if identity is None:
            raise NotFound
        return identity

    inner: dict[str, Callable[..., Any]] = {
        "settings": give_settings,
        "ports": give_ports,
        "passwords": give_passwords,
        "identity": give_identity,
    }
    return {name: Provide(give, sync_to_thread=False) for name, give in inner.items()}


def _demo_routers(settings: Settings) -> list[ControllerRouterHandler]:
    routers: list[ControllerRouterHandler] = (
        [demo_panel.router, demo_outbox.router, styleguide.router] if settings.demo else []
    )
    return [*routers, simpay.router] if settings.payments == "embedded" else routers
