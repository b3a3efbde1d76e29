"""Support visits: who of staff looks at whose portal, and what customers want of it."""

ID = "0078"
DESCRIPTION = "support visits"

FORWARDS = (
    """
    CREATE TABLE impersonation_grant (
        id UUID PRIMARY KEY,
        staff_user_id UUID NOT NULL REFERENCES app_user (id),
        session_id UUID NOT NULL,
        user_id UUID NOT NULL REFERENCES app_user (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        reason VARCHAR(500) NOT NULL CHECK (length(reason) BETWEEN 10 AND 500),
        ticket VARCHAR(60) CHECK (length(ticket) <= 60),
        allowed JSONB NOT NULL,
        started_at TIMESTAMPTZ NOT NULL,
        ends_at TIMESTAMPTZ NOT NULL,
        last_seen_at TIMESTAMPTZ NOT NULL,
        stopped_at TIMESTAMPTZ,
        stopped_by VARCHAR(8) CHECK (stopped_by IN ('staff', 'customer', 'time', 'right')),
        CHECK ((stopped_at IS NULL) = (stopped_by IS NULL)),
        CHECK (staff_user_id <> user_id)
    )
    """,
    "CREATE INDEX impersonation_grant_by_customer ON impersonation_grant (customer_id, user_id, started_at)",
    "CREATE INDEX impersonation_grant_by_staff ON impersonation_grant (staff_user_id, started_at)",
    "CREATE INDEX impersonation_grant_open ON impersonation_grant (ends_at) WHERE stopped_at IS NULL",
    """
    CREATE TABLE support_wish (
        user_id UUID PRIMARY KEY REFERENCES app_user (id),
        wish VARCHAR(8) NOT NULL CHECK (wish IN ('allow', 'ask', 'never')),
        changed_at TIMESTAMPTZ NOT NULL
    )
    """,
    """
    CREATE TABLE support_question (
        id UUID PRIMARY KEY,
        staff_user_id UUID NOT NULL REFERENCES app_user (id),
        user_id UUID NOT NULL REFERENCES app_user (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        reason VARCHAR(500) NOT NULL CHECK (length(reason) BETWEEN 10 AND 500),
        asked_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        answered_at TIMESTAMPTZ,
        answer VARCHAR(4) CHECK (answer IN ('yes', 'no')),
        used_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX support_question_by_user ON support_question (user_id, expires_at)",
    """
    CREATE TABLE support_code (
        id UUID PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES app_user (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        code_hash VARCHAR(64) NOT NULL CHECK (length(code_hash) = 64),
        created_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        wrong BIGINT NOT NULL CHECK (wrong BETWEEN 0 AND 3),
        used_at TIMESTAMPTZ,
        used_by UUID REFERENCES app_user (id)
    )
    """,
    "CREATE INDEX support_code_by_customer ON support_code (customer_id, expires_at)",
    "CREATE INDEX support_code_by_user ON support_code (user_id, created_at)",
)

BACKWARDS = (
    "DROP TABLE support_code",
    "DROP TABLE support_question",
    "DROP TABLE support_wish",
    "DROP TABLE impersonation_grant",
)
