"""Which allowances were told to be low, so that it is told once."""

ID = "0098"
DESCRIPTION = "allowances that ran low"

FORWARDS = (
    """
    CREATE TABLE usage_low (
        service_id UUID NOT NULL,
        kind VARCHAR(8) NOT NULL CHECK (kind IN ('data', 'voice', 'sms', 'money')),
        customer_id UUID NOT NULL,
        level VARCHAR(8) NOT NULL CHECK (level IN ('low', 'used_up')),
        armed_at TIMESTAMPTZ NOT NULL,
        told_at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (service_id, kind),
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
)

BACKWARDS = ("DROP TABLE usage_low",)
