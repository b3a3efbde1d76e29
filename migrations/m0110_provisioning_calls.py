"""Jobs given to a network over HTTP, and how each ended."""

ID = "0110"
DESCRIPTION = "jobs given to the network"

FORWARDS = (
    """
    CREATE TABLE provisioning_call (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        service_id UUID NOT NULL,
        action VARCHAR(16) NOT NULL,
        what VARCHAR(160) NOT NULL,
        asked_at TIMESTAMPTZ NOT NULL,
        ended_as BIGINT CHECK (ended_as IN (0, 2)),
        ended_at TIMESTAMPTZ,
        CHECK ((ended_as IS NULL) = (ended_at IS NULL))
    )
    """,
    "CREATE INDEX provisioning_call_of_customer ON provisioning_call (customer_id)",
    "CREATE INDEX provisioning_call_old ON provisioning_call (asked_at)",
)

BACKWARDS = ("DROP TABLE provisioning_call",)
