"""The gateway's name for a customer: asked for once, kept for ever."""

from __future__ import annotations

from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.ids import new_id
from selfcare.ports.payments import Payer, PaymentGateway


async def ensure(gateway: PaymentGateway, customer_id: UUID) -> str:
    """Outside any transaction. Raises what the gateway raises."""
    known = await find(gateway.name, customer_id)
    if known is not None:
        return known
    row = await fetch_one(CUSTOMER.bind(id=customer_id))
    if row is None:
        raise NotFound
    ref = await gateway.ensure_customer(Payer(customer_id, row["number"], row["name"]))
    async with transaction():
        values = {"id": new_id(), "customer_id": customer_id, "gateway": gateway.name, "ref": ref, "at": clock.now()}
        await execute(KEEP.bind(**values))
    # Somebody may have been faster, with this name or with another one.
    kept = await find(gateway.name, customer_id)
    if kept is None:
        raise RuntimeError("the gateway calls two customers by one name")
    return kept


async def find(gateway: str, customer_id: UUID) -> str | None:
    row = await fetch_one(KNOWN.bind(gateway=gateway, customer_id=customer_id))
    return row["customer_ref"] if row else None


CUSTOMER = Prepared.sql("SELECT number, name FROM customer WHERE id = :id")
KNOWN = Prepared.sql(
    "SELECT customer_ref FROM gateway_customer WHERE gateway = :gateway AND customer_id = :customer_id"
)
KEEP = Prepared.sql(
    """
    INSERT INTO gateway_customer (id, customer_id, gateway, customer_ref, created_at)
    VALUES (:id, :customer_id, :gateway, :ref, :at) ON CONFLICT DO NOTHING
    """
)
