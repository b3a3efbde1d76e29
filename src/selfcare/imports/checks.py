"""What can only be seen when everything is there: sums, currencies, owners, products that name each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from selfcare.db.engine import Row
from selfcare.db.prepared import Prepared, fetch
from selfcare.imports.files import BY_NAME
from selfcare.imports.problems import MOST, Problem, Problems
from selfcare.imports.seen import Seen


async def run(problems: Problems, seen: Seen, touched: set[str]) -> None:
    """`touched` names the files that brought something new."""

    def wrong(file: str, column: str, external_id: str, message: str) -> None:
        line = seen.line(file, "id", external_id) or 0
        problems.add(Problem(f"{file}.csv", line, 0, column, message))

    if touched & {"invoices", "transactions"}:
        for row in await fetch(SUMS.bind(most=MOST)):
            message = f"the lines of {row['number']} add up to another amount; expected net and tax of the bill"
            wrong("invoices", "net", row["external_id"], message)
    for file in sorted(touched & CURRENCIES.keys()):
        for row in await fetch(CURRENCIES[file].bind(most=MOST)):
            message = f"{row['external_id']} has another currency than its customer; expected {row['currency']}"
            wrong(file, "currency", row["external_id"], message)
    if "users" in touched:
        for row in await fetch(OWNERLESS.bind(most=MOST)):
            message = f"nobody owns {row['external_id']}; expected at least one person with the role owner"
            wrong("customers", "", row["external_id"], message)
    if "products" in touched:
        products = await fetch(PRODUCTS.bind())
        slugs = {row["slug"] for row in products}
        for row in products:
            for column in ("requires", "excludes", "changes_to"):
                for missing in sorted(set(json.loads(row[column])) - slugs):
                    if row["external_id"]:
                        wrong("products", column, row["external_id"], f"there is no product with the slug {missing}")
        by_slug = {row["slug"]: row for row in products}
        for row in products:
            if row["external_id"]:
                for message in _parts(row, by_slug):
                    wrong("products", "parts", row["external_id"], message)


def _parts(bundle: Row, products: Mapping[str, Row]) -> Iterator[str]:
    parts = json.loads(bundle["parts"])
    for part in parts:
        found = products.get(part["product"])
        if found is None or found["category"] not in ("addon", "topup") or found["custom_max_minor"] is not None:
            yield f"{part['product']} is no add-on and no top-up of a fixed price"
        elif found["currency"] != bundle["currency"]:
            yield f"{part['product']} has another currency; expected {bundle['currency']}"
    prices = [part["price"] for part in parts if part["price"] is not None]
    if prices and (len(prices) < len(parts) or sum(prices) != bundle["price_minor"]):
        yield f"the prices of the parts are together the price of the bundle; expected {bundle['price_minor']}"


SUMS = Prepared.sql(
    """
    SELECT external_id, number FROM (
        SELECT invoice.external_id, invoice.number, invoice.net_minor, invoice.tax_minor,
            sum(line.amount_minor) AS net, sum(line.tax_minor) AS tax
        FROM invoice
        JOIN billing_transaction line ON line.customer_id = invoice.customer_id AND line.invoice_id = invoice.id
        WHERE invoice.external_id IS NOT NULL AND line.voided_at IS NULL AND line.kind NOT IN ('payment', 'refund')
        GROUP BY invoice.id, invoice.external_id, invoice.number, invoice.net_minor, invoice.tax_minor
    ) bill
    WHERE net <> net_minor OR tax <> tax_minor
    ORDER BY external_id LIMIT :most
    """
)
CURRENCIES = {
    file: Prepared.sql(
        f"""
        SELECT {BY_NAME[file].table}.external_id, customer.currency FROM {BY_NAME[file].table}
        JOIN customer ON customer.id = {BY_NAME[file].table}.customer_id
        WHERE {BY_NAME[file].table}.external_id IS NOT NULL AND {BY_NAME[file].table}.currency <> customer.currency
        ORDER BY {BY_NAME[file].table}.external_id LIMIT :most
        """
    )
    for file in ("services", "buckets", "usage_records", "invoices", "transactions")
}
OWNERLESS = Prepared.sql(
    """
    SELECT external_id FROM customer
    WHERE external_id IS NOT NULL
        AND EXISTS (SELECT 1 FROM membership WHERE customer_id = customer.id AND removed_at IS NULL)
        AND NOT EXISTS (
            SELECT 1 FROM membership WHERE customer_id = customer.id AND removed_at IS NULL AND role = 'owner'
        )
    ORDER BY external_id LIMIT :most
    """
)
PRODUCTS = Prepared.sql(
    """
    SELECT external_id, slug, requires, excludes, changes_to, parts, category, currency, price_minor, custom_max_minor
      FROM product ORDER BY slug
    """
)
