"""Bundles that are all or nothing: what arrived waits for the rest, and is taken back where one part is lost."""

ID = "0136"
DESCRIPTION = "bundles that are all or nothing"

FORWARDS = (
    "ALTER TABLE product ADD COLUMN refunds_all BOOLEAN NOT NULL DEFAULT false",
    "ALTER TABLE purchase_order ADD COLUMN arrived_at TIMESTAMPTZ",
    "ALTER TABLE purchase_order ADD COLUMN undo_at TIMESTAMPTZ",
    """
    ALTER TABLE purchase_order ADD COLUMN undo_tries BIGINT NOT NULL DEFAULT 0
        CHECK (undo_tries = CAST(undo_tries AS BIGINT) AND undo_tries >= 0)
    """,
    "ALTER TABLE charging_put ADD COLUMN back_asked_at TIMESTAMPTZ",
)

BACKWARDS = (
    "ALTER TABLE charging_put DROP COLUMN back_asked_at",
    "ALTER TABLE purchase_order DROP COLUMN undo_tries",
    "ALTER TABLE purchase_order DROP COLUMN undo_at",
    "ALTER TABLE purchase_order DROP COLUMN arrived_at",
    "ALTER TABLE product DROP COLUMN refunds_all",
)
