"""Automatic top-up: what was agreed for a service, and each charge it led to."""

ID = "0091"
DESCRIPTION = "automatic top-up"

FORWARDS = (
    """
    CREATE TABLE auto_topup (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        service_id UUID NOT NULL,
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        threshold_minor BIGINT NOT NULL
            CHECK (threshold_minor = CAST(threshold_minor AS BIGINT) AND threshold_minor > 0),
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        most_minor BIGINT NOT NULL CHECK (most_minor = CAST(most_minor AS BIGINT) AND most_minor >= amount_minor),
        pause_hours BIGINT NOT NULL CHECK (pause_hours = CAST(pause_hours AS BIGINT) AND pause_hours BETWEEN 1 AND 168),
        words VARCHAR(1000) NOT NULL CHECK (length(words) BETWEEN 1 AND 1000),
        words_version BIGINT NOT NULL CHECK (words_version = CAST(words_version AS BIGINT)),
        given_by UUID NOT NULL REFERENCES app_user (id),
        given_at TIMESTAMPTZ NOT NULL,
        address VARCHAR(64) NOT NULL CHECK (length(address) <= 64),
        device VARCHAR(200) NOT NULL CHECK (length(device) <= 200),
        revision BIGINT NOT NULL CHECK (revision = CAST(revision AS BIGINT)),
        failures BIGINT NOT NULL CHECK (failures = CAST(failures AS BIGINT) AND failures >= 0),
        next_at TIMESTAMPTZ NOT NULL,
        held_at TIMESTAMPTZ,
        told_month VARCHAR(7),
        looked_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ,
        ended_by UUID REFERENCES app_user (id),
        ended_why VARCHAR(12) CHECK (ended_why IN ('switched', 'replaced', 'failures', 'too_often', 'service')),
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE UNIQUE INDEX auto_topup_now ON auto_topup (service_id) WHERE ended_at IS NULL",
    "CREATE INDEX auto_topup_of_customer ON auto_topup (customer_id, given_at)",
    "CREATE INDEX auto_topup_looked ON auto_topup (looked_at) WHERE ended_at IS NULL",
    """
    CREATE TABLE auto_topup_charge (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        rule_id UUID NOT NULL REFERENCES auto_topup (id),
        service_id UUID NOT NULL,
        order_id UUID NOT NULL UNIQUE REFERENCES purchase_order (id),
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        currency VARCHAR(3) NOT NULL,
        month VARCHAR(7) NOT NULL CHECK (length(month) = 7),
        state VARCHAR(8) NOT NULL CHECK (state IN ('open', 'paid', 'failed')),
        why VARCHAR(20),
        created_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ
    )
    """,
    "CREATE UNIQUE INDEX auto_topup_charge_open ON auto_topup_charge (service_id) WHERE state = 'open'",
    "CREATE INDEX auto_topup_charge_of_service ON auto_topup_charge (customer_id, service_id, created_at)",
)

BACKWARDS = (
    "DROP TABLE auto_topup_charge",
    "DROP TABLE auto_topup",
)
