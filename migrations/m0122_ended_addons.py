"""Which add-ons that ended the network has taken off its side."""

ID = "0122"
DESCRIPTION = "ended add-ons at the network"

FORWARDS = (
    "ALTER TABLE service_addon ADD COLUMN taken_off_at TIMESTAMPTZ",
    """
    ALTER TABLE service_addon ADD COLUMN take_off_tries BIGINT NOT NULL DEFAULT 0
        CHECK (take_off_tries = CAST(take_off_tries AS BIGINT) AND take_off_tries >= 0)
    """,
    "ALTER TABLE service_addon ADD COLUMN take_off_after TIMESTAMPTZ",
    "CREATE INDEX service_addon_ended ON service_addon (ends_at) WHERE taken_off_at IS NULL",
)

BACKWARDS = (
    "DROP INDEX service_addon_ended",
    "ALTER TABLE service_addon DROP COLUMN take_off_after",
    "ALTER TABLE service_addon DROP COLUMN take_off_tries",
    "ALTER TABLE service_addon DROP COLUMN taken_off_at",
)
