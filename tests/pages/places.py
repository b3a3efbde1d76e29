"""Which addresses the walk over every page visits for routes with parameters: one real thing of each demo person."""

from __future__ import annotations

from collections.abc import Mapping

from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people

CUSTOMERS_OF = {
    "asha": people.PATEL,
    "ben": people.PATEL,
    "chidi": people.OKORO,
    "empty": people.NEWMAN,
    "bloom": people.BLOOM,
    "gwen": people.BLOOM,
    "femi": people.BLOOM,
    "noor": people.YUSUF,
}

# Parameter of a path → the first few ids of that kind which belong to the customer.
OWN = {
    "service_id": Prepared.sql("SELECT id FROM service WHERE customer_id = :customer_id ORDER BY id LIMIT 6"),
    "invoice_id": Prepared.sql("SELECT id FROM invoice WHERE customer_id = :customer_id ORDER BY id LIMIT 4"),
    "payment_id": Prepared.sql("SELECT id FROM payment WHERE customer_id = :customer_id ORDER BY id LIMIT 4"),
    "order_id": Prepared.sql("SELECT id FROM purchase_order WHERE customer_id = :customer_id ORDER BY id LIMIT 4"),
    "card_id": Prepared.sql("SELECT id FROM payment_method WHERE customer_id = :customer_id ORDER BY id LIMIT 2"),
    "contact_id": Prepared.sql("SELECT id FROM contact WHERE customer_id = :customer_id ORDER BY id LIMIT 2"),
    "member_id": Prepared.sql("SELECT id FROM membership WHERE customer_id = :customer_id ORDER BY id LIMIT 3"),
    "site_id": Prepared.sql("SELECT id FROM site WHERE customer_id = :customer_id ORDER BY id LIMIT 2"),
    "voucher_id": Prepared.sql("SELECT id FROM voucher WHERE customer_id = :customer_id ORDER BY id LIMIT 2"),
    "request_id": Prepared.sql("SELECT id FROM request WHERE customer_id = :customer_id ORDER BY id LIMIT 4"),
}


async def own_ids(person: str) -> Mapping[str, list[str]]:
    """Ids of what the person's customer owns, by the name of the path parameter; staff own nothing."""
    home = CUSTOMERS_OF.get(person)
    if home is None:
        return {name: [] for name in OWN}
    return {
        name: [str(row["id"]) for row in await fetch(query.bind(customer_id=home.id))] for name, query in OWN.items()
    }
