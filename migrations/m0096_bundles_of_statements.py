"""A long statement of account is made in the background, as many bills are."""

ID = "0096"
DESCRIPTION = "statements in bundles"

FORWARDS = (
    """
    ALTER TABLE bundle ADD COLUMN holds VARCHAR(10) NOT NULL DEFAULT 'bills'
        CHECK (holds IN ('bills', 'statement'))
    """,
)

BACKWARDS = ("ALTER TABLE bundle DROP COLUMN holds",)
