"""The name of somebody who tops up without signing in, for the receipt."""

ID = "0135"
DESCRIPTION = "names on the receipts of guests"

FORWARDS = ("ALTER TABLE guest_receipt ADD COLUMN name VARCHAR(100) CHECK (length(name) BETWEEN 1 AND 100)",)

BACKWARDS = ("ALTER TABLE guest_receipt DROP COLUMN name",)
