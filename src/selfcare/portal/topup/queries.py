"""What the top-up screens read: which services take top-ups, what is on sale for one, and what buying it would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, as_json, fetch_many
from selfcare.formats import money
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _
from selfcare.portal.orders.selling import TARGET, Target, closed, is_for, is_on_sale, targets
from selfcare.portal.services.extras import HELD
from selfcare.portal.services.services import Status, status_in

KINDS = ("data", "voice", "sms", "mms", "money", "other")

_OFFER = """t.id AS id, t.slug AS slug, t.name AS name, t.description AS description, t.features AS features,
    t.grants AS grants, t.customer_types AS customer_types, t.requires AS requires, t.excludes AS excludes,
    t.price_minor AS price_minor, t.currency AS currency, t.custom_min_minor AS custom_min_minor,
    t.custom_max_minor AS custom_max_minor, t.tax_permille AS tax_permille, t.version AS version,
    t.terms_url AS terms_url, t.service_type AS service_type, t.enabled AS enabled, t.on_sale_from AS on_sale_from,
    t.on_sale_until AS on_sale_until"""
_JSON = dict.fromkeys(("features", "grants", "customer_types", "requires", "excludes"), as_json)
_OFFERS = Prepared.sql(
    f"""
    SELECT {_OFFER} FROM product t JOIN service s ON s.type = t.service_type AND s.currency = t.currency
     WHERE s.customer_id = :customer_id AND s.id = :service_id AND t.category = 'topup' AND t.enabled
     ORDER BY t.sort, t.price_minor, t.name
     LIMIT 100
    """,
    types=_JSON,
)
_ONE_OFFER = Prepared.sql(
    f"SELECT {_OFFER} FROM product t WHERE t.id = :id AND t.category = 'topup'",
    types=_JSON,
)
_LAST = Prepared.sql(
    """
    SELECT product_id, created_at FROM purchase_order
     WHERE customer_id = :customer_id AND service_id = :service_id AND kind = 'topup' AND state = 'delivered'
       AND product_id IS NOT NULL
     ORDER BY created_at DESC LIMIT 1
    """
)


@dataclass(frozen=True, slots=True)
class Offer:
    """A top-up on sale. `kind` is what it mainly adds; `lifetime_days` None means until used."""

    id: UUID
    name: str
    description: str
    features: list[str]
    price: Money
    kind: str
    lifetime_days: int | None
    replaces: bool
    custom: tuple[Money, Money] | None
    version: int
    tax_permille: int
    terms_url: str | None
    grants: tuple[Mapping[str, Any], ...]

    @property
    def puts_money(self) -> bool:
        return any(grant["kind"] == "money" for grant in self.grants)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is on sale for one service. `last` is what was bought there last, where it is still sold."""

    target: Target
    offers: list[Offer]
    last: Offer | None = None
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """One top-up for one service at the price it has now, tax included."""

    target: Target
    offer: Offer
    price: Money

    @property
    def tax(self) -> Money:
        return self.price.tax_inside(self.offer.tax_permille)

    @property
    def name(self) -> str:
        """ "5 GB extra data", and of a free amount "£12.50 credit"."""
        return _("%(amount)s credit") % {"amount": money(self.price)} if self.offer.custom else self.offer.name

    def ends_at(self, now: datetime) -> datetime | None:
        days = self.offer.lifetime_days
        return now + timedelta(days=days) if days else None


async def list_targets(scope: CustomerScope) -> list[Target]:
    now = clock.now()
    return [_target(scope, row, now) for row in await targets(scope, "topup", now)]


async def offers_for(scope: CustomerScope, service_id: UUID) -> Shelf:
    """The service and what is on sale for it today. Raises NotFound where it is not this customer's."""
    asked: dict[str, Any] = {"customer_id": scope.customer_id, "service_id": service_id}
    now = clock.now()
    services, found, last, running = await fetch_many(
        TARGET.bind(**asked), _OFFERS.bind(**asked), _LAST.bind(**asked), HELD.bind(**asked, now=now)
    )
    if not services or not scope.covers(service_id):
        raise NotFound
    target = _target(scope, services[0], now)
    offers = [_offer(row) for row in found if _unfit(scope, target, row, running, now) is None]
    offers.sort(key=lambda offer: KINDS.index(offer.kind))
    again = next((offer for offer in offers if last and offer.id == last[0]["product_id"]), None)
    return Shelf(target, offers, again, last[0]["created_at"] if again else None)


async def quote(scope: CustomerScope, service_id: UUID, product_id: UUID, amount: Money | None) -> Quote:
    """What it costs now. Raises NotFound for a service that is not this customer's or a product that is none, Conflict
    in words for what cannot be bought now, Rejected for an amount."""
    now = clock.now()
    asked: dict[str, Any] = {"customer_id": scope.customer_id, "service_id": service_id}
    services, products, running = await fetch_many(
        TARGET.bind(**asked), _ONE_OFFER.bind(id=product_id), HELD.bind(**asked, now=now)
    )
    if not services or not products or not scope.covers(service_id):
        raise NotFound
    target = _target(scope, services[0], now)
    offer = _offer(products[0])
    refusal = target.refusal or _unfit(scope, target, products[0], running, now)
    if refusal is None and not target.status.is_running and not offer.puts_money:
        refusal = _("This service is suspended because a payment is missing. Until then only credit can be added.")
    if refusal is not None:
        raise Conflict(refusal)
    return Quote(target, offer, _price(offer, amount))


def _price(offer: Offer, amount: Money | None) -> Money:
    if offer.custom is None:
        return offer.price
    least, most = offer.custom
    if amount is None or amount < least or amount > most:
        words = _("Enter an amount from %(least)s to %(most)s.") % {"least": money(least), "most": money(most)}
        raise Rejected(words, "amount")
    return amount


def _unfit(
    scope: CustomerScope, target: Target, product: Mapping[str, Any], running: Sequence[Row], now: datetime
) -> str | None:
    """Why this product is not sold for this service now, with the plan and the add-ons it has."""
    if not is_on_sale(product, now):
        return _("This top-up is no longer on sale. Nothing was charged; please choose another one.")
    there = {target.plan: target.product} | {row["slug"]: row["name"] for row in running}
    wrong_type = not is_for(product, scope.customer_type)
    lacking = product["requires"] and not there.keys() & set(product["requires"])
    if product["service_type"] != target.type or product["currency"] != target.currency or wrong_type or lacking:
        return _("This top-up does not fit this service. Nothing was charged; please choose another one.")
    excluding = {row["name"] for row in running if product["slug"] in as_json(row["excludes"])}
    excluding |= {name for slug, name in there.items() if slug in product["excludes"]}
    if excluding:
        words = _("This top-up does not go with “%(name)s”, which is on this service. Nothing was charged.")
        return words % {"name": min(excluding)}
    return None


def _target(scope: CustomerScope, row: Mapping[str, Any], now: datetime) -> Target:
    status = status_in(row, now)
    return Target.of(row, status, _refusal(scope, status))


def _refusal(scope: CustomerScope, status: Status) -> str | None:
    if (never := closed(scope)) is not None:
        return never
    if status.is_running or status.for_payment:
        return None
    if status.is_over:
        return _("This service has ended. Nothing can be added to it any more.")
    if status.mark == "being_set_up":
        return _("This service is being set up. It can be topped up as soon as it is ready.")
    return _("This service is suspended, so nothing can be added to it now. Talk to us to have it switched on again.")


def _offer(row: Mapping[str, Any]) -> Offer:
    currency = row["currency"]
    grant = row["grants"][0] if row["grants"] else {}
    least, most = row["custom_min_minor"], row["custom_max_minor"]
    return Offer(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        features=row["features"],
        price=Money(row["price_minor"], currency),
        kind=grant.get("kind", "other"),
        lifetime_days=grant.get("lifetime_days"),
        replaces=grant.get("mode") == "reset",
        custom=(Money(least, currency), Money(most, currency)) if least is not None and most is not None else None,
        version=row["version"],
        tax_permille=row["tax_permille"],
        terms_url=row["terms_url"],
        grants=tuple(row["grants"]),
    )
