"""That a customer wants a service to end: when, and why if they said so."""

ID = "0041"
DESCRIPTION = "cancellations of services"

FORWARDS = (
    """
    CREATE TABLE cancellation (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        service_id UUID NOT NULL,
        asked_by UUID NOT NULL REFERENCES app_user (id),
        asked_at TIMESTAMPTZ NOT NULL,
        takes_effect_at TIMESTAMPTZ NOT NULL,
        reason VARCHAR(20)
            CHECK (reason IN ('price', 'coverage', 'moving', 'another_provider', 'not_needed', 'other')),
        words VARCHAR(500) CHECK (length(words) <= 500),
        request_key VARCHAR(64) NOT NULL UNIQUE CHECK (length(request_key) BETWEEN 16 AND 64),
        undone_at TIMESTAMPTZ,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE INDEX cancellation_by_service ON cancellation (customer_id, service_id, asked_at)",
    """
    CREATE INDEX service_to_cancel ON service (cancel_at)
        WHERE cancel_at IS NOT NULL AND state IN ('active', 'suspended')
    """,
)

BACKWARDS = (
    "DROP INDEX service_to_cancel",
    "DROP TABLE cancellation",
)
