"""A customer with lines to meter, put straight into the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, insert_many
from selfcare.identity.tables import Customer
from selfcare.kernel.ids import new_id
from selfcare.portal.services.tables import Product, Service

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Owner:
    """Fits `ports.charging.Tenant`."""

    customer_id: UUID
    service_ids: frozenset[UUID] | None = None


async def a_customer(*, currency: str = "GBP") -> Owner:
    id = new_id()
    row = {"id": id, "number": id.hex[-12:], "name": "Asha Patel", "type": "individual", "status": "open"}
    more = {"pays": "prepaid", "currency": currency, "zone": "Europe/London", "language": "en", "created_at": BEGAN}
    async with transaction():
        await insert_many(Customer, [row | more])
    return Owner(id)


async def a_plan(*, currency: str = "GBP") -> UUID:
    id = new_id()
    row = {"id": id, "slug": id.hex, "name": "Lark 20", "category": "plan", "service_type": "mobile"}
    async with transaction():
        await insert_many(Product, [row | {"currency": currency, "tax_code": "standard", "created_at": BEGAN}])
    return id


async def a_line(of: Owner, *, currency: str = "GBP", **more: Any) -> UUID:
    service, product = new_id(), await a_plan(currency=currency)
    async with transaction():
        await insert_many(
            Service,
            [
                {
                    "id": service,
                    "customer_id": of.customer_id,
                    "product_id": product,
                    "name": "Mobile",
                    "type": "mobile",
                    "state": "active",
                    "currency": currency,
                    "ocs_account": f"acc-{service}",
                    "created_at": BEGAN,
                }
                | more
            ],
        )
    return service


# Of every bucket: does the sum come out, and do the parts add up to what it says it gave?
AUDIT = Prepared.sql(
    """
    SELECT b.id AS id, b.label AS label, b.granted AS granted, b.consumed AS consumed, b.remaining AS remaining,
           b.forfeited AS forfeited, b.is_unlimited AS is_unlimited,
           (SELECT COALESCE(sum(c.amount), 0) FROM consumption c
             WHERE c.customer_id = b.customer_id AND c.bucket_id = b.id) AS parts,
           (SELECT COALESCE(sum(g.amount), 0) FROM allowance_grant g
             WHERE g.customer_id = b.customer_id AND g.bucket_id = b.id) AS grants
      FROM bucket b ORDER BY b.id
    """,
    types=dict.fromkeys(("parts", "grants"), int),
)
