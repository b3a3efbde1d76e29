"""Reads and publishes products. A version is written once and stays; the newest is the one on sale."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Duplicate, Row, transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch, fetch_one
from selfcare.identity.identity import Identity
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.staff.catalogue.drafts import Draft

_LISTS = ("customer_types", "requires", "excludes", "features", "grants", "parts", "changes_to", "editable")
_JSON = dict.fromkeys(_LISTS, as_json)
_COLUMNS = """id, slug, name, description, category, service_type, customer_types, requires, excludes, enabled,
    on_sale_from, on_sale_until, sort, icon, features, terms_url, price_minor, setup_price_minor, currency, period,
    custom_min_minor, custom_max_minor, tax_code, tax_permille, grants, parts, refunds_all, changes_to, editable,
    repeatable, min_term, provisioning_play, starts, start_within_days, version, created_at"""
_ALL = Prepared.sql(
    f"SELECT {_COLUMNS} FROM product ORDER BY category, service_type, sort, name LIMIT 500", types=_JSON
)
_ONE = Prepared.sql(f"SELECT {_COLUMNS} FROM product WHERE id = :id", types=_JSON)
_NAMED = Prepared.sql(f"SELECT {_COLUMNS} FROM product WHERE slug IN :slugs", types=_JSON)
_SLUGS = Prepared.sql("SELECT slug FROM product")
_VERSIONS = Prepared.sql(
    """
    SELECT v.version AS version, v.content AS content, v.published_at AS published_at, u.display_name AS published_by
      FROM product_version v LEFT JOIN app_user u ON u.id = v.published_by
     WHERE v.product_id = :id ORDER BY v.version DESC LIMIT 200
    """,
    types={"content": as_json},
)
_ADD_VERSION = Prepared.sql(
    """
    INSERT INTO product_version (product_id, version, content, published_at, published_by)
    VALUES (:id, :version, :content, :at, :by) ON CONFLICT (product_id, version) DO NOTHING
    """
)
_SET = """slug = :slug, name = :name, description = :description, category = :category, service_type = :service_type,
    customer_types = :customer_types, requires = :requires, excludes = :excludes, enabled = :enabled,
    on_sale_from = :on_sale_from, on_sale_until = :on_sale_until, sort = :sort, icon = :icon, features = :features,
    terms_url = :terms_url, price_minor = :price_minor, setup_price_minor = :setup_price_minor, currency = :currency,
    period = :period, custom_min_minor = :custom_min_minor, custom_max_minor = :custom_max_minor, tax_code = :tax_code,
    tax_permille = :tax_permille, grants = :grants, repeatable = :repeatable, min_term = :min_term,
    provisioning_play = :provisioning_play, parts = :parts, refunds_all = :refunds_all, changes_to = :changes_to,
    editable = :editable,
    starts = :starts, start_within_days = :start_within_days"""
_UPDATE = Prepared.sql(
    f"UPDATE product SET {_SET}, version = version + 1 WHERE id = :id AND version = :seen RETURNING version"
)
_INSERT = Prepared.sql(
    """
    INSERT INTO product (id, slug, name, description, category, service_type, customer_types, requires, excludes,
        enabled, on_sale_from, on_sale_until, sort, icon, features, terms_url, price_minor, setup_price_minor, currency,
        period, custom_min_minor, custom_max_minor, tax_code, tax_permille, grants, repeatable, editable, min_term,
        version, provisioning_play, provisioning_vars, created_at, parts, refunds_all, changes_to, starts,
        start_within_days)
    VALUES (:id, :slug, :name, :description, :category, :service_type, :customer_types, :requires, :excludes,
        :enabled, :on_sale_from, :on_sale_until, :sort, :icon, :features, :terms_url, :price_minor, :setup_price_minor,
        :currency, :period, :custom_min_minor, :custom_max_minor, :tax_code, :tax_permille, :grants, :repeatable,
        :editable, :min_term, 1, :provisioning_play, '{}', :now, :parts, :refunds_all, :changes_to,
        :starts,
        :start_within_days)
    """
)


@dataclass(frozen=True, slots=True)
class Product:
    """What is in force now."""

    id: UUID
    version: int
    created_at: datetime
    draft: Draft

    def is_on_sale(self, now: datetime) -> bool:
        begun = self.draft.on_sale_from is None or self.draft.on_sale_from <= now
        return self.draft.enabled and begun and (self.draft.on_sale_until is None or now < self.draft.on_sale_until)


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    draft: Draft
    published_at: datetime
    published_by: str | None
    changed: tuple[str, ...] = ()


class Stale(Rejected):
    """Somebody published meanwhile; `version` is the one in force."""

    def __init__(self, message: str, version: int) -> None:
        super().__init__(message)
        self.version = version


async def list_all() -> list[Product]:
    return [_product(row) for row in await fetch(_ALL.bind())]


async def load(product_id: UUID) -> Product:
    row = await fetch_one(_ONE.bind(id=product_id))
    if row is None:
        raise NotFound
    return _product(row)


async def slugs() -> set[str]:
    return {row["slug"] for row in await fetch(_SLUGS.bind())}


async def named(slugs: Collection[str]) -> dict[str, Draft]:
    return {row["slug"]: Draft.of_row(row) for row in await fetch(_NAMED.bind(slugs=slugs))} if slugs else {}


async def versions(product: Product) -> list[Version]:
    """The newest first, each with what it changed. One that was never edited has its first only."""
    rows = await fetch(_VERSIONS.bind(id=product.id))
    drafts = [Draft.of_json(row["content"]) for row in rows]
    if not rows:
        return [Version(product.version, product.draft, product.created_at, None)]
    found = []
    for place, (row, draft) in enumerate(zip(rows, drafts, strict=True)):
        older = drafts[place + 1] if place + 1 < len(drafts) else draft
        changed = tuple(draft.differs_from(older))
        found.append(Version(row["version"], draft, row["published_at"], row["published_by"], changed))
    return found


async def version_of(product: Product, number: int) -> Version:
    for one in await versions(product):
        if one.version == number:
            return one
    raise NotFound


async def publish(staff: Identity, product_id: UUID, draft: Draft, *, seen: int) -> int:
    """The version it has now. Raises Stale when `seen` is not the one in force any more; nothing is lost then."""
    before = await load(product_id)
    changed = draft.differs_from(before.draft)
    if before.version == seen and not changed:
        return seen
    async with transaction():
        # What was there before anybody edited it is a version too.
        await _add_version(before.id, before.version, before.draft, before.created_at, None)
        rows = await execute(_UPDATE.bind(id=product_id, seen=seen, **_values(draft)))
        if rows:
            await _add_version(product_id, rows[0]["version"], draft, clock.now(), staff.actor_id)
            await _record(staff, product_id, rows[0]["version"], changed)
            return int(rows[0]["version"])
    raise await _stale(product_id, seen)


async def create(staff: Identity, draft: Draft) -> UUID:
    """A new product. Raises Rejected where the short name is taken."""
    product_id, now = ids.new_id(), clock.now()
    try:
        async with transaction():
            await execute(_INSERT.bind(id=product_id, now=now, **_values(draft)))
            await _add_version(product_id, 1, draft, now, staff.actor_id)
            await _record(staff, product_id, 1, ["slug"])
    except Duplicate as error:
        raise Rejected(_("There is a product with this short name already."), "slug") from error
    return product_id


async def _record(staff: Identity, product_id: UUID, version: int, changed: Collection[str]) -> None:
    await audit.record(
        staff, Event.STAFF_CATALOGUE_CHANGED, about=product_id, fields=",".join(sorted(changed)), version=version
    )


async def _add_version(product_id: UUID, version: int, draft: Draft, at: datetime, by: UUID | None) -> None:
    await execute(_ADD_VERSION.bind(id=product_id, version=version, content=draft.as_json(), at=at, by=by))


async def _stale(product_id: UUID, seen: int) -> Stale:
    product = await load(product_id)
    after = [one for one in await versions(product) if one.version > seen]
    who = ", ".join(dict.fromkeys(one.published_by or _("Somebody") for one in after))
    words = _("%(who)s published version %(version)d meanwhile. What you typed is kept: look, and publish again.")
    return Stale(words % {"who": who or _("Somebody"), "version": product.version}, product.version)


def _values(draft: Draft) -> dict[str, Any]:
    return {name: getattr(draft, name) for name in draft.__dataclass_fields__}


def _product(row: Row) -> Product:
    return Product(row["id"], row["version"], row["created_at"], Draft.of_row(row))
