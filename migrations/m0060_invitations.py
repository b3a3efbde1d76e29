"""Invitations to look after a customer."""

ID = "0060"
DESCRIPTION = "invitations"

FORWARDS = (
    """
    CREATE TABLE invitation (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        email VARCHAR(254) NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
        role VARCHAR(16) NOT NULL CHECK (role IN ('owner', 'payer', 'user', 'viewer')),
        service_ids JSONB,
        token_hash VARCHAR(64) NOT NULL UNIQUE CHECK (length(token_hash) = 64),
        invited_by UUID NOT NULL REFERENCES app_user (id),
        created_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        accepted_at TIMESTAMPTZ,
        accepted_by UUID REFERENCES app_user (id),
        withdrawn_at TIMESTAMPTZ,
        UNIQUE (customer_id, id)
    )
    """,
    """
    CREATE UNIQUE INDEX invitation_open ON invitation (customer_id, email)
        WHERE accepted_at IS NULL AND withdrawn_at IS NULL
    """,
)

BACKWARDS = ("DROP TABLE invitation",)
