"""Allowances that begin when they are first used: what waits, for what, and how long it lasts then."""

ID = "0134"
DESCRIPTION = "allowances that wait for their first use"

WAITS = "CHECK (waits_for IN ('first_use', 'first_use_abroad'))"
DAYS = "CHECK (lasts_days = CAST(lasts_days AS BIGINT) AND lasts_days >= 1)"

FORWARDS = (
    """
    ALTER TABLE product ADD COLUMN starts VARCHAR(16) NOT NULL DEFAULT 'now'
        CHECK (starts IN ('now', 'first_use', 'first_use_abroad'))
    """,
    """
    ALTER TABLE product ADD COLUMN start_within_days BIGINT
        CHECK (start_within_days = CAST(start_within_days AS BIGINT) AND start_within_days >= 1)
    """,
    f"ALTER TABLE bucket ADD COLUMN waits_for VARCHAR(16) {WAITS}",
    f"ALTER TABLE bucket ADD COLUMN lasts_days BIGINT {DAYS}",
    f"ALTER TABLE service_addon ADD COLUMN waits_for VARCHAR(16) {WAITS}",
    f"ALTER TABLE service_addon ADD COLUMN lasts_days BIGINT {DAYS}",
)

BACKWARDS = (
    "ALTER TABLE service_addon DROP COLUMN lasts_days",
    "ALTER TABLE service_addon DROP COLUMN waits_for",
    "ALTER TABLE bucket DROP COLUMN lasts_days",
    "ALTER TABLE bucket DROP COLUMN waits_for",
    "ALTER TABLE product DROP COLUMN start_within_days",
    "ALTER TABLE product DROP COLUMN starts",
)
