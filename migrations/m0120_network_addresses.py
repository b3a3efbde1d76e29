"""Which line has which address of the operator's network now."""

ID = "0120"
DESCRIPTION = "network addresses of lines"

FORWARDS = (
    """
    CREATE TABLE network_address (
        address VARCHAR(45) PRIMARY KEY CHECK (length(address) BETWEEN 2 AND 45),
        customer_id UUID NOT NULL,
        service_id UUID NOT NULL,
        told_at TIMESTAMPTZ NOT NULL,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE INDEX network_address_of ON network_address (service_id)",
)

BACKWARDS = ("DROP TABLE network_address",)
