"""What the add-on screens read: which services take add-ons, what is on sale for one, and what buying it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, fetch_many
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.orders.allowances import Start
from selfcare.portal.orders.selling import TARGET, Target, closed, is_for, is_on_sale, targets
from selfcare.portal.services.extras import HELD, Held, held_from, months_later
from selfcare.portal.services.services import Status, status_in

BOOST = "boost"
LATEST_START = timedelta(days=30)

_OFFER = """t.id AS id, t.slug AS slug, t.name AS name, t.description AS description, t.features AS features,
    t.icon AS icon, t.grants AS grants, t.customer_types AS customer_types, t.requires AS requires,
    t.excludes AS excludes, t.price_minor AS price_minor, t.setup_price_minor AS setup_price_minor, t.period AS period,
    t.currency AS currency, t.tax_permille AS tax_permille, t.version AS version, t.terms_url AS terms_url,
    t.service_type AS service_type, t.enabled AS enabled, t.on_sale_from AS on_sale_from,
    t.on_sale_until AS on_sale_until, t.repeatable AS repeatable, t.min_term AS min_term, t.lasts_days AS lasts_days,
    t.activation AS activation, t.provisioning_play AS play, t.starts AS starts,
    t.start_within_days AS start_within_days"""
_JSON = dict.fromkeys(("features", "grants", "customer_types", "requires", "excludes"), as_json)
_OFFERS = Prepared.sql(
    f"""
    SELECT {_OFFER} FROM product t JOIN service s ON s.type = t.service_type AND s.currency = t.currency
     WHERE s.customer_id = :customer_id AND s.id = :service_id AND t.category = 'addon' AND t.enabled
     ORDER BY t.sort, t.price_minor, t.name LIMIT 100
    """,
    types=_JSON,
)
_ONE_OFFER = Prepared.sql(f"SELECT {_OFFER} FROM product t WHERE t.id = :id AND t.category = 'addon'", types=_JSON)
_COMING = Prepared.sql(
    """
    SELECT o.id AS id, o.name AS name, o.product_id AS product_id, p.icon AS icon
      FROM purchase_order o JOIN product p ON p.id = o.product_id
     WHERE o.customer_id = :customer_id AND o.service_id = :service_id AND o.kind = 'addon'
       AND o.state IN ('open', 'paid', 'delivering', 'review')
     ORDER BY o.created_at LIMIT 50
    """
)
_MOVING = Prepared.sql(
    """
    SELECT name FROM purchase_order
     WHERE customer_id = :customer_id AND service_id = :service_id AND kind = 'plan'
       AND state IN ('open', 'paid', 'delivering', 'review') LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class Offer:
    """An add-on on sale. `price` is for a month where it `recurs`, else for all of it; `setup` is paid once."""

    id: UUID
    slug: str
    name: str
    icon: str
    description: str
    features: list[str]
    price: Money
    setup: Money
    recurs: bool
    min_term: int
    lasts_days: int | None
    activation: str | None
    version: int
    tax_permille: int
    terms_url: str | None
    repeatable: bool
    excludes: list[str]
    grants: tuple[Mapping[str, Any], ...]
    play: str | None
    start: Start

    @property
    def is_boost(self) -> bool:
        return self.icon == BOOST

    @property
    def is_hardware(self) -> bool:
        return self.icon == "hardware"

    @property
    def now(self) -> Money:
        """What is paid when it is bought: the set-up, and the first month of what recurs."""
        return self.setup + self.price


@dataclass(frozen=True, slots=True)
class Shelf:
    target: Target
    offers: list[Offer]
    held: list[Held]
    coming: list[tuple[UUID, str]]


@dataclass(frozen=True, slots=True)
class Quote:
    """One add-on for one service at the price it has now, tax included. `replaces`: what would end for it."""

    target: Target
    offer: Offer
    starts_at: datetime
    next_charge_at: datetime | None
    term_ends_at: datetime | None
    ends_at: datetime | None
    replaces: tuple[Held, ...]

    @property
    def price(self) -> Money:
        return self.offer.now

    @property
    def tax(self) -> Money:
        return self.price.tax_inside(self.offer.tax_permille)


async def list_targets(scope: CustomerScope) -> list[Target]:
    now = clock.now()
    return [_target(scope, row, now) for row in await targets(scope, "addon", now)]


async def offers_for(scope: CustomerScope, service_id: UUID) -> Shelf:
    """The service, what runs on it and what is on sale for it. Raises NotFound where it is not this customer's."""
    now = clock.now()
    asked: dict[str, Any] = {"customer_id": scope.customer_id, "service_id": service_id}
    services, found, running, coming = await fetch_many(
        TARGET.bind(**asked), _OFFERS.bind(**asked), HELD.bind(**asked, now=now), _COMING.bind(**asked)
    )
    if not services or not scope.covers(service_id):
        raise NotFound
    target = _target(scope, services[0], now)
    held = [held_from(row) for row in running]
    offers = [
        _offer(row)
        for row in found
        if _unfit(scope, target, row, held, now) is None and _taken(_offer(row), held, coming) is None
    ]
    return Shelf(target, offers, held, [(row["id"], row["name"]) for row in coming])


async def quote(
    scope: CustomerScope, service_id: UUID, product_id: UUID, *, start: datetime | None = None, fixed: bool = False
) -> Quote:
    """What it costs and means now. `start` is a later one of a boost; `fixed` when it is the one that is bought.

    Raises NotFound, or Conflict in words for what cannot be bought now.
    """
    now = clock.now()
    asked: dict[str, Any] = {"customer_id": scope.customer_id, "service_id": service_id}
    services, found, running, coming, moving = await fetch_many(
        TARGET.bind(**asked),
        _ONE_OFFER.bind(id=product_id),
        HELD.bind(**asked, now=now),
        _COMING.bind(**asked),
        _MOVING.bind(**asked),
    )
    if not services or not scope.covers(service_id) or not found:
        raise NotFound
    target, offer = _target(scope, services[0], now), _offer(found[0])
    held = [held_from(row) for row in running]
    starts_at = start or now
    ends_at = starts_at + timedelta(days=offer.lasts_days) if offer.lasts_days and not offer.recurs else None
    if offer.start.waits_for is not None:
        ends_at = offer.start.latest(starts_at)
    refusal = (
        target.refusal
        or _unfit(scope, target, found[0], held, now)
        or _taken(offer, held, coming)
        or _depends(found[0], moving)
        or (_at_that_time(offer, held, starts_at, ends_at) if fixed else None)
    )
    if refusal is not None:
        raise Conflict(refusal)
    excluding = {row["slug"] for row in running if offer.slug in as_json(row["excludes"])}
    return Quote(
        target,
        offer,
        starts_at=starts_at,
        next_charge_at=months_later(starts_at, 1, scope.zone) if offer.recurs else None,
        term_ends_at=months_later(starts_at, offer.min_term, scope.zone) if offer.recurs and offer.min_term else None,
        ends_at=ends_at,
        replaces=tuple(one for one in held if one.slug in offer.excludes or one.slug in excluding),
    )


def _unfit(
    scope: CustomerScope, target: Target, product: Mapping[str, Any], held: list[Held], now: datetime
) -> str | None:
    """Why this add-on is not sold for this service now."""
    if not is_on_sale(product, now):
        return _("This add-on is no longer on sale. Nothing was charged; please choose another one.")
    there = {target.plan, *(one.slug for one in held)}
    wrong_type = not is_for(product, scope.customer_type)
    lacking = product["requires"] and not there.intersection(product["requires"])
    if product["service_type"] != target.type or product["currency"] != target.currency or wrong_type or lacking:
        return _("This add-on does not fit this service. Nothing was charged; please choose another one.")
    if target.plan in product["excludes"]:
        return _("Your plan has this already. Nothing was charged.")
    return None


def _taken(offer: Offer, held: list[Held], coming: list[dict[str, Any]]) -> str | None:
    """Why not once more."""
    if offer.is_boost and any(row["icon"] == BOOST for row in coming):
        return _("A boost is being added to this service already. One runs at a time.")
    if offer.repeatable:
        return None
    if any(one.product_id == offer.id for one in held):
        return _("This service has this add-on already. Nothing was charged.")
    if any(row["product_id"] == offer.id for row in coming):
        return _("This add-on is being added already. Nothing more was charged.")
    return None


def _depends(product: Mapping[str, Any], moving: list[dict[str, Any]]) -> str | None:
    """Whether it fits the plan is known when the plan is."""
    if moving and (product["requires"] or product["excludes"]):
        return _("Wait until your order “%(order)s” is finished.") % {"order": moving[0]["name"]}
    return None


def _at_that_time(offer: Offer, held: list[Held], starts_at: datetime, ends_at: datetime | None) -> str | None:
    """Why a boost does not fit in then."""
    if not offer.is_boost or ends_at is None:
        return None
    others = [(one.starts_at, one.ends_at) for one in held if one.icon == BOOST]
    if any(begins < ends_at and (ends is None or ends > starts_at) for begins, ends in others):
        return _("A boost is on this service at that time already. One runs at a time: choose a later start.")
    return None


def _target(scope: CustomerScope, row: Mapping[str, Any], now: datetime) -> Target:
    status = status_in(row, now)
    return Target.of(row, status, _refusal(scope, status, is_ending=row["cancel_at"] is not None))


def _refusal(scope: CustomerScope, status: Status, *, is_ending: bool) -> str | None:
    if (never := closed(scope)) is not None:
        return never
    if is_ending and not status.is_over:
        return _("This service is going to end, so nothing is added to it any more. Keep the service first.")
    if status.is_running:
        return None
    if status.is_over:
        return _("This service has ended. Nothing can be added to it any more.")
    if status.mark == "being_set_up":
        return _("This service is being set up. Add-ons can be added as soon as it is ready.")
    return _("This service is suspended, so nothing can be added to it until it is on again.")


def _offer(row: Mapping[str, Any]) -> Offer:
    currency = row["currency"]
    lives = [grant["lifetime_days"] for grant in row["grants"] if grant.get("lifetime_days")]
    plain = ("id", "slug", "name", "icon", "description", "features", "min_term", "activation", "version")
    more = ("tax_permille", "terms_url", "repeatable", "excludes", "play")
    return Offer(
        **{name: row[name] for name in (*plain, *more)},
        price=Money(row["price_minor"], currency),
        setup=Money(row["setup_price_minor"], currency),
        recurs=row["period"] == "month",
        lasts_days=row["lasts_days"] or max(lives, default=None),
        grants=tuple(row["grants"]),
        start=Start.of_product(row),
    )
