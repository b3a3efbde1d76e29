"""What the top-up screens read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, fetch, fetch_many
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money

_SERVICES = Prepared.sql(
    """
    SELECT s.id AS id, s.name AS name, s.nickname AS nickname, s.type AS type, p.name AS product
      FROM service s JOIN product p ON p.id = s.product_id
     WHERE s.customer_id = :customer_id AND s.state IN ('active', 'suspended')
       AND EXISTS (SELECT 1 FROM product t
                    WHERE t.category = 'topup' AND t.enabled AND t.service_type = s.type)
     ORDER BY COALESCE(s.nickname, s.name), s.id
     LIMIT 200
    """
)
_SERVICE = Prepared.sql(
    """
    SELECT s.id AS id, s.name AS name, s.nickname AS nickname, s.type AS type, p.name AS product
      FROM service s JOIN product p ON p.id = s.product_id
     WHERE s.customer_id = :customer_id AND s.id = :service_id AND s.state IN ('active', 'suspended')
    """
)
_OFFERS = Prepared.sql(
    """
    SELECT t.id AS id, t.name AS name, t.description AS description, t.features AS features, t.grants AS grants,
           t.customer_types AS customer_types, t.price_minor AS price_minor, t.currency AS currency,
           t.custom_min_minor AS custom_min_minor, t.custom_max_minor AS custom_max_minor
      FROM product t
      JOIN service s ON s.type = t.service_type AND s.currency = t.currency
     WHERE s.customer_id = :customer_id AND s.id = :service_id AND t.category = 'topup' AND t.enabled
       AND (t.on_sale_from IS NULL OR t.on_sale_from <= :now) AND (t.on_sale_until IS NULL OR t.on_sale_until > :now)
     ORDER BY t.sort, t.price_minor, t.name
     LIMIT 100
    """,
    types={"features": as_json, "grants": as_json, "customer_types": as_json},
)
KINDS = ("data", "voice", "sms", "mms", "money", "other")


@dataclass(frozen=True, slots=True)
class Target:
    """A service that can be topped up."""

    id: UUID
    name: str
    type: str
    product: str


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


async def list_targets(scope: CustomerScope) -> list[Target]:
    rows = await fetch(_SERVICES.bind(customer_id=scope.customer_id))
    return [_target(row) for row in rows if scope.covers(row["id"])]


async def offers_for(scope: CustomerScope, service_id: UUID) -> tuple[Target, list[Offer]]:
    """The service and what is on sale for it today; NotFound when it is not this customer's."""
    if not scope.covers(service_id):
        raise NotFound
    asked: dict[str, Any] = {"customer_id": scope.customer_id, "service_id": service_id}
    now: datetime = clock.now()
    services, offers = await fetch_many(_SERVICE.bind(**asked), _OFFERS.bind(**asked, now=now))
    if not services:
        raise NotFound
    fitting = [row for row in offers if not row["customer_types"] or scope.customer_type in row["customer_types"]]
    return _target(services[0]), sorted((_offer(row) for row in fitting), key=lambda offer: KINDS.index(offer.kind))


def _target(row: dict[str, Any]) -> Target:
    return Target(row["id"], row["nickname"] or row["name"], row["type"], row["product"])


def _offer(row: dict[str, Any]) -> Offer:
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
    )
