"""Which lines somebody should look at, because a count left little on them."""

ID = "0099"
DESCRIPTION = "lines that may have run low"

FORWARDS = (
    """
    CREATE TABLE usage_thin (
        service_id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        at TIMESTAMPTZ NOT NULL,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
)

BACKWARDS = ("DROP TABLE usage_thin",)
