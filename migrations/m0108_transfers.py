"""A service that changed hands: the old owner keeps the one that ended, with its bills and its past; the new owner has
one that knows which it came from."""

ID = "0108"
DESCRIPTION = "services that changed hands"

FORWARDS = (
    "ALTER TABLE service ADD COLUMN handed_over_at TIMESTAMPTZ",
    "ALTER TABLE service ADD COLUMN taken_over_from UUID",
    "ALTER TABLE service ADD COLUMN taken_over_at TIMESTAMPTZ",
    "CREATE UNIQUE INDEX service_taken_over ON service (taken_over_from) WHERE taken_over_from IS NOT NULL",
)

BACKWARDS = (
    "DROP INDEX service_taken_over",
    "ALTER TABLE service DROP COLUMN taken_over_at",
    "ALTER TABLE service DROP COLUMN taken_over_from",
    "ALTER TABLE service DROP COLUMN handed_over_at",
)
