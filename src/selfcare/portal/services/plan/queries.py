"""What the plan screens read: the plan a service has, the ones it may move to, and what moving means."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from selfcare.db.prepared import Prepared, as_json, fetch_many
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound
from selfcare.kernel.money import Money
from selfcare.kernel.words import _, ngettext
from selfcare.portal.orders.order import ON_SERVICE, Kind, Order, order_of
from selfcare.portal.orders.selling import closed, is_for, is_on_sale
from selfcare.portal.services.extras import months_later
from selfcare.portal.services.plan import allowances
from selfcare.portal.services.plan.allowances import Line
from selfcare.portal.services.plan.proration import Period, Share, period_of, share
from selfcare.portal.services.services import LIFE, Status, status_in

_JSON = dict.fromkeys(("features", "grants", "customer_types", "changes_to", "requires", "excludes"), as_json)
_PLAN = """p.id AS product_id, p.slug AS slug, p.name AS plan, p.description AS description, p.features AS features,
    p.grants AS grants, p.customer_types AS customer_types, p.changes_to AS changes_to, p.period AS period,
    p.price_minor AS price_minor, p.tax_permille AS tax_permille, p.version AS version, p.terms_url AS terms_url,
    p.min_term AS min_term, p.enabled AS enabled, p.on_sale_from AS on_sale_from, p.on_sale_until AS on_sale_until,
    p.icon AS icon, p.requires AS requires, p.excludes AS excludes, p.provisioning_play AS play"""
_SERVICE = Prepared.sql(
    f"""
    SELECT s.id AS id, s.name AS system_name, COALESCE(s.nickname, s.name) AS name, {LIFE},
           s.cancel_at AS cancel_at, s.monthly_minor AS monthly_minor,
           s.currency AS currency, s.contract_ends_on AS contract_ends_on, {_PLAN},
           w.id AS waiting_id, w.name AS waiting_name, w.product_id AS waiting_product,
           w.price_minor AS waiting_minor, w.takes_effect_at AS waiting_until
      FROM service s JOIN product p ON p.id = s.product_id
      LEFT JOIN plan_change w ON w.service_id = s.id AND w.state = 'waiting'
     WHERE s.customer_id = :customer_id AND s.id = :service_id
    """,
    types=_JSON,
)
_PLANS = Prepared.sql(
    f"""
    SELECT {_PLAN} FROM product p JOIN service s ON s.type = p.service_type AND s.currency = p.currency
      JOIN product o ON o.id = s.product_id
     WHERE s.customer_id = :customer_id AND s.id = :service_id AND p.category = 'plan' AND p.id <> s.product_id
       AND CAST(o.changes_to AS TEXT) LIKE '%"' || p.slug || '"%'
     ORDER BY p.price_minor, p.sort, p.name LIMIT 100
    """,
    types=_JSON,
)
# What recurs; what was paid once goes on beside any plan until it ends.
EXTRAS = Prepared.sql(
    """
    SELECT a.name AS name, p.slug AS slug, p.requires AS requires, p.excludes AS excludes
      FROM service_addon a JOIN product p ON p.id = a.product_id
     WHERE a.customer_id = :customer_id AND a.service_id = :service_id AND a.recurring AND a.ends_at IS NULL
     ORDER BY a.name LIMIT 100
    """,
    types={"requires": as_json, "excludes": as_json},
)
# What only puts something in is done beside a change of the plan.
_BESIDE = frozenset({Kind.TOPUP, Kind.VOUCHER, Kind.PROMISE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan of the catalogue; `price` is for one period."""

    id: UUID
    slug: str
    name: str
    icon: str
    description: str
    features: list[str]
    price: Money
    grants: Sequence[Mapping[str, Any]]
    requires: list[str]
    excludes: list[str]
    tax_permille: int
    version: int
    min_term: int
    terms_url: str | None
    play: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The change that is going to happen when the period ends."""

    id: UUID
    product_id: UUID
    name: str
    price: Money
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """The service whose plan it is. `price` is what it pays now; `refusal` says why its plan cannot change now.

    `contract_ends_on` is None where no contract runs; `coming` is the order that has to be finished first.
    """

    id: UUID
    name: str
    system_name: str
    plan: Plan
    price: Money
    every: str
    period: Period
    renews: bool
    contract_ends_on: date | None
    waiting: Waiting | None
    coming: Order | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Option:
    """A plan to move to; `refusal` says why not to this one."""

    plan: Plan
    difference: Money
    refusal: str | None

    @property
    def is_now(self) -> bool:
        """Dearer ones and those of the same price begin at once, cheaper ones when the period ends."""
        return self.difference.minor >= 0


@dataclass(frozen=True, slots=True)
class Choice:
    current: Current
    options: list[Option]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One plan for one service, as it is today. `day` is the one the shares were made for."""

    current: Current
    option: Option
    share: Share
    lines: list[Line]
    day: date
    term_ends_on: date | None

    @property
    def plan(self) -> Plan:
        return self.option.plan

    @property
    def is_now(self) -> bool:
        return self.option.is_now

    @property
    def due(self) -> Money:
        return self.share.due if self.is_now else Money.zero(self.plan.price.currency)

    @property
    def tax(self) -> Money:
        return self.due.tax_inside(self.plan.tax_permille)


async def plans_for(scope: CustomerScope, service_id: UUID) -> Choice:
    """The plan it has and those it may move to. Raises NotFound where it is not this customer's."""
    return await _read(scope, service_id, clock.now())


async def quote(scope: CustomerScope, service_id: UUID, product_id: UUID, *, least: Money) -> Quote:
    """What moving there means now; `least` is what a card can pay. Raises NotFound, or Conflict in words."""
    now = clock.now()
    choice = await _read(scope, service_id, now)
    current = choice.current
    option = next((one for one in choice.options if one.plan.id == product_id), None)
    if current.refusal is not None:
        raise Conflict(current.refusal)
    if option is None:
        raise Conflict(_("This plan is no longer offered for this service. Nothing was changed; choose another one."))
    if option.refusal is not None:
        raise Conflict(option.refusal)
    begins = now if option.is_now else current.period.renews_at
    return Quote(
        current=current,
        option=option,
        share=share(current.price, option.plan.price, current.period, least=least),
        lines=allowances.compare(current.plan.grants, option.plan.grants),
        day=now.astimezone(ZoneInfo(scope.zone)).date(),
        term_ends_on=_term(option.plan, current, begins, scope.zone),
    )


async def _read(scope: CustomerScope, service_id: UUID, now: datetime) -> Choice:
    asked: dict[str, Any] = {"customer_id": scope.customer_id, "service_id": service_id}
    services, plans, extras, orders = await fetch_many(
        _SERVICE.bind(**asked), _PLANS.bind(**asked), EXTRAS.bind(**asked), ON_SERVICE.bind(**asked)
    )
    if not services or not scope.covers(service_id):
        raise NotFound
    row = services[0]
    coming = (order for order in map(order_of, orders) if order.is_coming and order.kind not in _BESIDE)
    current = _current(scope, row, next(coming, None), now)
    options = [
        Option(plan, plan.price - current.price, _misfit(scope, current, plan, extras))
        for plan in (
            _plan(found, row["currency"]) for found in plans if is_offered(scope.customer_type, row, found, now)
        )
    ]
    return Choice(current, options)


def is_offered(customer_type: str, was: Mapping[str, Any], to: Mapping[str, Any], now: datetime) -> bool:
    """On sale to this customer, and in the closed list of the plan it would leave."""
    listed = to["slug"] in was["changes_to"] and to["period"] == was["period"] != "none"
    return listed and is_on_sale(to, now) and is_for(to, customer_type)


def clashing(slug: str, excludes: Collection[str], extras: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of the add-ons that do not go with the plan of that slug, or that it excludes."""
    there = {slug, *(extra["slug"] for extra in extras)}
    found = []
    for extra in extras:
        lacks = extra["requires"] and not (there - {extra["slug"]}).intersection(extra["requires"])
        if lacks or slug in extra["excludes"] or extra["slug"] in excludes:
            found.append(str(extra["name"]))
    return found


def lacking(requires: Collection[str], extras: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a plan is sold only beside an add-on that is not there."""
    return bool(requires) and not {extra["slug"] for extra in extras}.intersection(requires)


def _current(scope: CustomerScope, row: Mapping[str, Any], coming: Order | None, now: datetime) -> Current:
    status = status_in(row, now)
    contract = row["contract_ends_on"]
    return Current(
        id=row["id"],
        name=row["name"],
        system_name=row["system_name"],
        plan=_plan(row, row["currency"]),
        price=Money(row["monthly_minor"], row["currency"]),
        every=row["period"],
        period=period_of(row["ends_at"], now, scope.zone, every=row["period"]),
        renews=row["renews"] or row["ends_at"] is None,
        contract_ends_on=contract if contract and contract > now.astimezone(ZoneInfo(scope.zone)).date() else None,
        waiting=_waiting(row) if row["waiting_id"] and row["cancel_at"] is None and not status.is_over else None,
        coming=coming,
        refusal=_refusal(scope, status, coming, is_ending=row["cancel_at"] is not None),
    )


def _waiting(row: Mapping[str, Any]) -> Waiting:
    return Waiting(
        id=row["waiting_id"],
        product_id=row["waiting_product"],
        name=row["waiting_name"],
        price=Money(row["waiting_minor"], row["currency"]),
        at=row["waiting_until"],
    )


def _refusal(scope: CustomerScope, status: Status, coming: Order | None, *, is_ending: bool) -> str | None:
    if (never := closed(scope)) is not None:
        return never
    if status.is_over:
        return _("This service has ended, so its plan cannot change any more.")
    if is_ending:
        return _("This service is going to end, so its plan does not change any more. Keep the service first.")
    if status.mark == "being_set_up":
        return _("This service is being set up. Its plan can change as soon as it is ready.")
    if not status.is_running:
        return _("This service is suspended. Its plan can change when it is on again.")
    if coming is not None:
        return _("Wait until your order “%(order)s” is finished.") % {"order": coming.name}
    return None


def _misfit(scope: CustomerScope, current: Current, plan: Plan, extras: Sequence[Mapping[str, Any]]) -> str | None:
    if plan.price < current.price:
        renewal = current.period.renews_at.astimezone(ZoneInfo(scope.zone)).date()
        if current.plan.min_term and current.contract_ends_on and current.contract_ends_on > renewal:
            return _("Inside the minimum term of your plan you can move to a plan of the same or a higher price only.")
        if not current.renews:
            return _("A cheaper plan begins when this one renews, but auto-renewal is off. Switch it on first.")
    if names := clashing(plan.slug, plan.excludes, extras):
        return ngettext(
            "Your add-on “%(names)s” does not go with this plan. Remove it first.",
            "Your add-ons “%(names)s” do not go with this plan. Remove them first.",
            len(names),
        ) % {"names": "”, “".join(names)}
    if lacking(plan.requires, extras):
        return _("This plan goes with an add-on that this service does not have.")
    return None


def _term(plan: Plan, current: Current, begins: datetime, zone: str) -> date | None:
    """Until when one is bound with the new plan; its own minimum term begins anew, never ending an older one."""
    if not plan.min_term:
        return current.contract_ends_on
    own = months_later(begins, plan.min_term, zone).astimezone(ZoneInfo(zone)).date()
    return max(own, current.contract_ends_on or own)


def _plan(row: Mapping[str, Any], currency: str) -> Plan:
    plain = (
        "slug",
        "requires",
        "excludes",
        "icon",
        "description",
        "features",
        "grants",
        "tax_permille",
        "version",
        "min_term",
        "terms_url",
        "play",
    )
    return Plan(
        id=row["product_id"],
        name=row["plan"],
        price=Money(row["price_minor"], currency),
        **{name: row[name] for name in plain},
    )
