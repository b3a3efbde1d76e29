"""The versions of what is sold."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Timestamptz
from piccolo.table import Table


class ProductVersion(Table, tablename="product_version"):
    """`content` is a `Draft` as JSON. The one in force is in `product` too; of a product that was never edited only
    there."""

    product_id = UUID(primary_key=True, default=None)
    version = BigInt(primary_key=True, default=None)
    content = JSONB(default="{}")
    published_at = Timestamptz(default=None)
    published_by = UUID(null=True, default=None)
