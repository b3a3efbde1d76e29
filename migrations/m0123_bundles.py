"""Bundles: a product made of parts, and orders that are parts of one order."""

ID = "0123"
DESCRIPTION = "bundles of products"

FORWARDS = (
    "ALTER TABLE product ADD COLUMN parts JSONB NOT NULL DEFAULT '[]'",
    "ALTER TABLE purchase_order ADD COLUMN refund_id UUID REFERENCES refund (id)",
    "CREATE INDEX purchase_order_parts ON purchase_order (parent_id) WHERE parent_id IS NOT NULL",
)

BACKWARDS = (
    "DROP INDEX purchase_order_parts",
    "ALTER TABLE purchase_order DROP COLUMN refund_id",
    "ALTER TABLE product DROP COLUMN parts",
)
