"""What a charging engine elsewhere last said, and what we asked it to put in. Its balances are kept as buckets."""

ID = "0021"
DESCRIPTION = "snapshots of a charging engine"

FORWARDS = (
    """
    CREATE TABLE charging_snapshot (
        service_id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        as_of TIMESTAMPTZ NOT NULL,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    """
    CREATE TABLE charging_put (
        name VARCHAR(80) PRIMARY KEY CHECK (length(name) <= 80),
        customer_id UUID NOT NULL,
        service_id UUID NOT NULL,
        order_id UUID NOT NULL,
        kind VARCHAR(8) NOT NULL CHECK (length(kind) <= 8),
        label VARCHAR(100) NOT NULL CHECK (length(label) <= 100),
        origin VARCHAR(16) NOT NULL CHECK (length(origin) <= 16),
        scope VARCHAR(16) NOT NULL CHECK (length(scope) <= 16),
        mode VARCHAR(8) NOT NULL CHECK (mode IN ('add', 'reset')),
        amount BIGINT NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND amount > 0),
        reason VARCHAR(16) NOT NULL CHECK (length(reason) <= 16),
        period_start TIMESTAMPTZ NOT NULL,
        period_end TIMESTAMPTZ,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE INDEX charging_put_by_service ON charging_put (customer_id, service_id, kind)",
)

BACKWARDS = (
    "DROP TABLE charging_put",
    "DROP TABLE charging_snapshot",
)
