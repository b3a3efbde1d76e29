"""Top-ups without signing in: who stands at the door, and days that were bought for a service with an end."""

ID = "0118"
DESCRIPTION = "top-ups without signing in"

FORWARDS = (
    """
    CREATE TABLE quick_visit (
        id UUID PRIMARY KEY,
        number VARCHAR(16) NOT NULL CHECK (length(number) BETWEEN 4 AND 16),
        customer_id UUID REFERENCES customer (id),
        service_id UUID,
        order_id UUID REFERENCES purchase_order (id),
        created_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        proved_at TIMESTAMPTZ,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id),
        CHECK ((customer_id IS NULL) = (service_id IS NULL)),
        CHECK (proved_at IS NULL OR service_id IS NOT NULL),
        CHECK (order_id IS NULL OR proved_at IS NOT NULL)
    )
    """,
    "CREATE INDEX quick_visit_old ON quick_visit (expires_at)",
    """
    CREATE TABLE service_extension (
        order_id UUID PRIMARY KEY REFERENCES purchase_order (id),
        customer_id UUID NOT NULL,
        service_id UUID NOT NULL,
        days BIGINT NOT NULL CHECK (days = CAST(days AS BIGINT) AND days > 0),
        was TIMESTAMPTZ NOT NULL,
        until TIMESTAMPTZ NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE INDEX service_extension_of ON service_extension (customer_id, service_id)",
)

BACKWARDS = (
    "DROP TABLE service_extension",
    "DROP TABLE quick_visit",
)
