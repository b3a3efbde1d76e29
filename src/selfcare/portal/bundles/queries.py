"""What the screens of bundles read: which are on sale, what is in them, and onto which services the parts may go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, fetch, fetch_many
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.kernel.money import Money, shares
from selfcare.portal.orders.selling import closed, is_for, is_on_sale

_COLUMNS = """id, slug, name, description, features, icon, customer_types, price_minor, currency, version, terms_url,
    parts, refunds_all, enabled, on_sale_from, on_sale_until"""
_JSON = dict.fromkeys(("features", "customer_types", "parts"), as_json)
_ALL = Prepared.sql(
    f"""
    SELECT {_COLUMNS} FROM product WHERE category = 'bundle' AND enabled AND currency = :currency
     ORDER BY sort, name LIMIT 20
    """,
    types=_JSON,
)
_ONE = Prepared.sql(f"SELECT {_COLUMNS} FROM product WHERE category = 'bundle' AND enabled AND id = :id", types=_JSON)
_PRODUCTS = Prepared.sql(
    """
    SELECT id, slug, name, category, service_type, icon, description, price_minor, setup_price_minor, currency, period,
           tax_permille, version
      FROM product WHERE slug IN :slugs AND category IN ('addon', 'topup')
    """
)
_SERVICES = Prepared.sql(
    """
    SELECT id, COALESCE(nickname, name) AS name, type FROM service
     WHERE customer_id = :customer_id AND state IN ('active', 'suspended') AND currency = :currency
       AND (ends_at IS NULL OR ends_at > :now)
     ORDER BY CASE WHEN state = 'active' THEN 0 ELSE 1 END, name, id LIMIT 200
    """
)


@dataclass(frozen=True, slots=True)
class Line:
    """A service a part may go onto, as far as its kind goes."""

    id: UUID
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Part:
    """`price` is its share of what the bundle costs, `alone` what it costs by itself."""

    place: int
    product_id: UUID
    name: str
    icon: str
    about: str
    is_addon: bool
    recurs: bool
    price: Money
    alone: Money
    tax: Money
    version: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """On sale to this customer. `mark` is another one whenever it or a part of it was changed. With `refunds_all` it is
    all or nothing."""

    id: UUID
    name: str
    icon: str
    description: str
    features: list[str]
    price: Money
    version: int
    terms_url: str | None
    refunds_all: bool
    parts: tuple[Part, ...]

    @property
    def saving(self) -> Money:
        alone = sum((part.alone for part in self.parts), Money.zero(self.price.currency))
        return alone - self.price if self.price < alone else Money.zero(self.price.currency)

    @property
    def tax(self) -> Money:
        return sum((part.tax for part in self.parts), Money.zero(self.price.currency))

    @property
    def each_month(self) -> Money:
        """What goes on being paid."""
        return sum((part.price for part in self.parts if part.recurs), Money.zero(self.price.currency))

    @property
    def mark(self) -> str:
        return ".".join(str(version) for version in (self.version, *(part.version for part in self.parts)))


async def on_sale(scope: CustomerScope) -> list[Bundle]:
    """Those with a service for each of their parts."""
    found, services = await fetch_many(_ALL.bind(currency=scope.currency), _services(scope))
    return await _bundles(scope, found, services)


async def get(scope: CustomerScope, bundle_id: UUID) -> Bundle:
    """Raises NotFound for what is no bundle, or not on sale to this customer."""
    found, services = await fetch_many(_ONE.bind(id=bundle_id), _services(scope))
    bundles = await _bundles(scope, found, services)
    if not bundles:
        raise NotFound
    return bundles[0]


def _services(scope: CustomerScope) -> Any:
    return _SERVICES.bind(customer_id=scope.customer_id, currency=scope.currency, now=clock.now())


async def _bundles(scope: CustomerScope, found: list[dict[str, Any]], services: list[dict[str, Any]]) -> list[Bundle]:
    now = clock.now()
    sold = [row for row in found if row["parts"] and is_on_sale(row, now) and is_for(row, scope.customer_type)]
    slugs = sorted({part["product"] for row in sold for part in row["parts"]})
    if closed(scope) or not slugs:
        return []
    products = {row["slug"]: row for row in await fetch(_PRODUCTS.bind(slugs=slugs))}
    lines = [Line(**row) for row in services if scope.covers(row["id"])]
    bundles = [_bundle(row, products, lines) for row in sold]
    return [bundle for bundle in bundles if bundle is not None and all(part.lines for part in bundle.parts)]


def _bundle(row: Mapping[str, Any], products: Mapping[str, Mapping[str, Any]], lines: list[Line]) -> Bundle | None:
    """None where a part of it is no product any more."""
    if any(part["product"] not in products for part in row["parts"]):
        return None
    price = Money(row["price_minor"], row["currency"])
    inside = [products[part["product"]] for part in row["parts"]]
    alone = [Money(one["price_minor"] + one["setup_price_minor"], price.currency) for one in inside]
    weights = [
        full.minor if part.get("price") is None else part["price"]
        for part, full in zip(row["parts"], alone, strict=True)
    ]
    priced = zip(inside, shares(price, weights), alone, strict=True)
    parts = tuple(_part(place, one, share, full, lines) for place, (one, share, full) in enumerate(priced))
    plain = ("id", "name", "icon", "description", "features", "version", "terms_url", "refunds_all")
    return Bundle(**{name: row[name] for name in plain}, price=price, parts=parts)


def _part(place: int, product: Mapping[str, Any], price: Money, alone: Money, lines: list[Line]) -> Part:
    return Part(
        place=place,
        product_id=product["id"],
        name=product["name"],
        icon=product["icon"],
        about=product["description"],
        is_addon=product["category"] == "addon",
        recurs=product["category"] == "addon" and product["period"] == "month",
        price=price,
        alone=alone,
        tax=price.tax_inside(product["tax_permille"]),
        version=product["version"],
        lines=tuple(line for line in lines if line.type == product["service_type"]),
    )
