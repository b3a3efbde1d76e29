"""Payments and orders of the last days are counted without reading all of them."""

ID = "0104"
DESCRIPTION = "payments and orders by time"

FORWARDS = (
    "CREATE INDEX payment_by_time ON payment (created_at)",
    "CREATE INDEX purchase_order_by_time ON purchase_order (created_at)",
)

BACKWARDS = ("DROP INDEX purchase_order_by_time", "DROP INDEX payment_by_time")
