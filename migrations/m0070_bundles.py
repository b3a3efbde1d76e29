"""Many bills in one file, in parts, so that nobody ever holds a whole one in memory."""

ID = "0070"
DESCRIPTION = "bundles of bills"

FORWARDS = (
    """
    CREATE TABLE bundle (
        id UUID PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES app_user (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        first DATE NOT NULL,
        last DATE NOT NULL CHECK (last >= first),
        state VARCHAR(8) NOT NULL CHECK (state IN ('asked', 'ready', 'failed')),
        bills BIGINT NOT NULL CHECK (bills = CAST(bills AS BIGINT) AND bills > 0),
        done BIGINT NOT NULL CHECK (done = CAST(done AS BIGINT) AND done BETWEEN 0 AND bills),
        size_bytes BIGINT CHECK (size_bytes = CAST(size_bytes AS BIGINT) AND size_bytes > 0),
        asked_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        CHECK (state <> 'ready' OR size_bytes IS NOT NULL)
    )
    """,
    "CREATE INDEX bundle_by_user ON bundle (user_id, customer_id, asked_at)",
    "CREATE UNIQUE INDEX bundle_on_its_way ON bundle (user_id, customer_id) WHERE state = 'asked'",
    "CREATE INDEX bundle_by_end ON bundle (expires_at)",
    """
    CREATE TABLE bundle_part (
        id UUID PRIMARY KEY,
        bundle_id UUID NOT NULL REFERENCES bundle (id),
        position BIGINT NOT NULL CHECK (position = CAST(position AS BIGINT) AND position >= 0),
        body TEXT NOT NULL CHECK (length(body) <= 400000),
        UNIQUE (bundle_id, position)
    )
    """,
)

BACKWARDS = (
    "DROP TABLE bundle_part",
    "DROP TABLE bundle",
)
