"""What is sold, to whom, and the services it may be bought for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, fetch
from selfcare.identity.identity import CustomerScope
from selfcare.kernel.words import _
from selfcare.portal.services.services import LIFE, Status

_TARGET = f"""
    SELECT s.id AS id, COALESCE(s.nickname, s.name) AS name, s.type AS type, {LIFE}, s.cancel_at AS cancel_at,
           s.currency AS currency, p.name AS product, p.slug AS plan
      FROM service s JOIN product p ON p.id = s.product_id
     WHERE s.customer_id = :customer_id"""
TARGET = Prepared.sql(f"{_TARGET} AND s.id = :service_id")
_TARGETS = Prepared.sql(
    f"""{_TARGET} AND s.state IN ('active', 'suspended') AND (s.ends_at IS NULL OR s.ends_at > :now)
       AND EXISTS (SELECT 1 FROM product t WHERE t.category = :category AND t.enabled AND t.service_type = s.type)
     ORDER BY COALESCE(s.nickname, s.name), s.id LIMIT 200
    """
)


@dataclass(frozen=True, slots=True)
class Target:
    """A service something may be bought for; `refusal` says why nothing can now."""

    id: UUID
    name: str
    type: str
    product: str
    plan: str
    currency: str
    status: Status
    refusal: str | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any], status: Status, refusal: str | None) -> Target:
        return cls(row["id"], row["name"], row["type"], row["product"], row["plan"], row["currency"], status, refusal)


async def targets(scope: CustomerScope, category: str, now: datetime) -> list[Row]:
    """Rows of the services for which something of this category is sold."""
    rows = await fetch(_TARGETS.bind(customer_id=scope.customer_id, category=category, now=now))
    return [row for row in rows if scope.covers(row["id"])]


def closed(scope: CustomerScope) -> str | None:
    """Why this customer buys nothing at all."""
    if scope.customer_status == "open":
        return None
    return _("This account is closed: nothing can be bought any more. Bills can still be read and paid.")


def is_on_sale(product: Mapping[str, Any], now: datetime) -> bool:
    since, until = product["on_sale_from"], product["on_sale_until"]
    return bool(product["enabled"] and (since is None or since <= now) and (until is None or now < until))


def is_for(product: Mapping[str, Any], customer_type: str) -> bool:
    """No types: for everybody."""
    return not product["customer_types"] or customer_type in product["customer_types"]
