"""Copies of what is held of a person, in parts, so that nobody ever holds a whole one in memory."""

ID = "0064"
DESCRIPTION = "exports"

FORWARDS = (
    """
    CREATE TABLE export (
        id UUID PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES app_user (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        state VARCHAR(8) NOT NULL CHECK (state IN ('asked', 'ready', 'failed')),
        size_bytes BIGINT CHECK (size_bytes = CAST(size_bytes AS BIGINT) AND size_bytes > 0),
        asked_at TIMESTAMPTZ NOT NULL,
        ready_at TIMESTAMPTZ,
        expires_at TIMESTAMPTZ NOT NULL,
        CHECK (state <> 'ready' OR (size_bytes IS NOT NULL AND ready_at IS NOT NULL))
    )
    """,
    "CREATE INDEX export_by_user ON export (user_id, asked_at)",
    "CREATE UNIQUE INDEX export_on_its_way ON export (user_id, customer_id) WHERE state = 'asked'",
    "CREATE INDEX export_by_end ON export (expires_at)",
    """
    CREATE TABLE export_part (
        id UUID PRIMARY KEY,
        export_id UUID NOT NULL REFERENCES export (id),
        position BIGINT NOT NULL CHECK (position = CAST(position AS BIGINT) AND position >= 0),
        body TEXT NOT NULL CHECK (length(body) <= 400000),
        UNIQUE (export_id, position)
    )
    """,
)

BACKWARDS = (
    "DROP TABLE export_part",
    "DROP TABLE export",
)
