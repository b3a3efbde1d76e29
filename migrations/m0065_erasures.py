"""Who asked to be erased, and when it happens."""

ID = "0065"
DESCRIPTION = "erasures"

FORWARDS = (
    """
    CREATE TABLE erasure (
        id UUID PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES app_user (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        state VARCHAR(10) NOT NULL CHECK (state IN ('asked', 'cancelled', 'blocked', 'done')),
        asked_at TIMESTAMPTZ NOT NULL,
        due_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ,
        CHECK ((state = 'asked') = (ended_at IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX erasure_open ON erasure (user_id) WHERE state = 'asked'",
    "CREATE INDEX erasure_due ON erasure (due_at) WHERE state = 'asked'",
)

BACKWARDS = ("DROP TABLE erasure",)
