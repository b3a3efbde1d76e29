"""Visits to the gateway's page that keep a card, and how near to its end somebody was told a card is."""

ID = "0068"
DESCRIPTION = "visits that keep cards, and what was told about their end"

FORWARDS = (
    """
    CREATE TABLE card_visit (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        request_key VARCHAR(64) NOT NULL UNIQUE CHECK (length(request_key) BETWEEN 16 AND 64),
        gateway VARCHAR(16) NOT NULL CHECK (length(gateway) BETWEEN 1 AND 16),
        gateway_ref VARCHAR(255) CHECK (length(gateway_ref) BETWEEN 1 AND 255),
        url VARCHAR(2000) CHECK (length(url) <= 2000),
        state VARCHAR(8) NOT NULL CHECK (state IN ('open', 'done', 'refused', 'ended', 'full')),
        why VARCHAR(16) CHECK (length(why) <= 16),
        card_id UUID,
        back_to VARCHAR(500) NOT NULL CHECK (length(back_to) <= 500),
        started_by UUID NOT NULL REFERENCES app_user (id),
        created_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ,
        UNIQUE (gateway, gateway_ref),
        FOREIGN KEY (customer_id, card_id) REFERENCES payment_method (customer_id, id)
    )
    """,
    "CREATE INDEX card_visit_open ON card_visit (created_at) WHERE state = 'open'",
    "ALTER TABLE payment_method ADD COLUMN told_days BIGINT CHECK (told_days IN (30, 7, 0))",
)

BACKWARDS = (
    "ALTER TABLE payment_method DROP COLUMN told_days",
    "DROP TABLE card_visit",
)
