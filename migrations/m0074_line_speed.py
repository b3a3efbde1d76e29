"""What the network says about the speed of a line."""

ID = "0074"
DESCRIPTION = "speed of lines as the network reports it"

FORWARDS = (
    """
    CREATE TABLE line_speed (
        service_id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        full_speed_bytes BIGINT
            CHECK (full_speed_bytes = CAST(full_speed_bytes AS BIGINT) AND full_speed_bytes > 0),
        slow_kbps BIGINT CHECK (slow_kbps = CAST(slow_kbps AS BIGINT) AND slow_kbps > 0),
        slow_until TIMESTAMPTZ,
        reported_at TIMESTAMPTZ NOT NULL,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
)

BACKWARDS = ("DROP TABLE line_speed",)
