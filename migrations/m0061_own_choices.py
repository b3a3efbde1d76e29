"""What people choose for themselves, and since when a second step is asked of them and is on."""

ID = "0061"
DESCRIPTION = "own time zone, since when a second step is on and asked for"

FORWARDS = (
    "ALTER TABLE app_user ADD COLUMN zone VARCHAR(64) CHECK (length(zone) <= 64)",
    "ALTER TABLE app_user ADD COLUMN totp_since TIMESTAMPTZ",
    "ALTER TABLE app_user ADD COLUMN second_step_asked_at TIMESTAMPTZ",
)

BACKWARDS = (
    "ALTER TABLE app_user DROP COLUMN second_step_asked_at",
    "ALTER TABLE app_user DROP COLUMN totp_since",
    "ALTER TABLE app_user DROP COLUMN zone",
)
