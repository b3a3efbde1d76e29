"""What the simulated gateway knows. It is a machine of its own that happens to live in the same database."""

ID = "0032"
DESCRIPTION = "simulated gateway"

FORWARDS = (
    """
    CREATE TABLE sim_customer (
        id VARCHAR(64) PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
        customer_id UUID NOT NULL UNIQUE,
        name VARCHAR(160) NOT NULL CHECK (length(name) <= 160),
        default_card VARCHAR(64),
        created_at TIMESTAMPTZ NOT NULL
    )
    """,
    """
    CREATE TABLE sim_card (
        id VARCHAR(64) PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
        customer_ref VARCHAR(64) NOT NULL REFERENCES sim_customer (id),
        outcome VARCHAR(24) NOT NULL CHECK (length(outcome) <= 24),
        brand VARCHAR(20) NOT NULL CHECK (length(brand) <= 20),
        last4 VARCHAR(4) NOT NULL CHECK (length(last4) = 4),
        exp_month BIGINT NOT NULL CHECK (exp_month BETWEEN 1 AND 12),
        exp_year BIGINT NOT NULL CHECK (exp_year BETWEEN 2000 AND 2199),
        holder VARCHAR(100) NOT NULL CHECK (length(holder) <= 100),
        fingerprint VARCHAR(64) NOT NULL CHECK (length(fingerprint) <= 64),
        detached_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX sim_card_by_customer ON sim_card (customer_ref)",
    """
    CREATE TABLE sim_session (
        id VARCHAR(64) PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
        mode VARCHAR(8) NOT NULL CHECK (mode IN ('payment', 'setup')),
        state VARCHAR(8) NOT NULL CHECK (state IN ('open', 'complete', 'expired')),
        customer_ref VARCHAR(64) NOT NULL REFERENCES sim_customer (id),
        payment_id UUID,
        amount_minor BIGINT CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        reference VARCHAR(64) NOT NULL CHECK (length(reference) <= 64),
        description VARCHAR(200) NOT NULL CHECK (length(description) <= 200),
        save_card BOOLEAN NOT NULL,
        return_url VARCHAR(500) NOT NULL CHECK (length(return_url) <= 500),
        cancel_url VARCHAR(500) NOT NULL CHECK (length(cancel_url) <= 500),
        payment_ref VARCHAR(64),
        card_ref VARCHAR(64),
        tries BIGINT NOT NULL CHECK (tries >= 0),
        created_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL
    )
    """,
    """
    CREATE TABLE sim_payment (
        id VARCHAR(64) PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
        state VARCHAR(16) NOT NULL
            CHECK (state IN ('requires_action', 'processing', 'succeeded', 'declined', 'canceled')),
        why VARCHAR(16),
        customer_ref VARCHAR(64) NOT NULL REFERENCES sim_customer (id),
        card_ref VARCHAR(64) NOT NULL REFERENCES sim_card (id),
        session_ref VARCHAR(64),
        payment_id UUID NOT NULL,
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        refunded_minor BIGINT NOT NULL CHECK (refunded_minor BETWEEN 0 AND amount_minor),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        reference VARCHAR(64) NOT NULL CHECK (length(reference) <= 64),
        description VARCHAR(200) NOT NULL CHECK (length(description) <= 200),
        return_url VARCHAR(500) NOT NULL CHECK (length(return_url) <= 500),
        disputed BOOLEAN NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        changed_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX sim_payment_by_customer ON sim_payment (customer_ref, payment_id)",
    """
    CREATE TABLE sim_refund (
        id VARCHAR(64) PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
        payment_ref VARCHAR(64) NOT NULL REFERENCES sim_payment (id),
        request_key VARCHAR(255) NOT NULL CHECK (length(request_key) <= 255),
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        state VARCHAR(8) NOT NULL CHECK (state IN ('pending', 'done', 'failed')),
        created_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX sim_refund_by_payment ON sim_refund (payment_ref)",
    """
    CREATE TABLE sim_request (
        key VARCHAR(255) PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 255),
        fingerprint VARCHAR(64) NOT NULL CHECK (length(fingerprint) = 64),
        answer_ref VARCHAR(64) NOT NULL CHECK (length(answer_ref) <= 64),
        created_at TIMESTAMPTZ NOT NULL
    )
    """,
    """
    CREATE TABLE sim_event (
        id VARCHAR(64) PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
        kind VARCHAR(40) NOT NULL CHECK (length(kind) <= 40),
        about VARCHAR(8) NOT NULL CHECK (length(about) <= 8),
        object_ref VARCHAR(64) NOT NULL CHECK (length(object_ref) <= 64),
        payment_id UUID,
        created_at TIMESTAMPTZ NOT NULL,
        delivered_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX sim_event_waiting ON sim_event (created_at) WHERE delivered_at IS NULL",
    """
    CREATE TABLE sim_fault (
        name VARCHAR(16) PRIMARY KEY CHECK (name IN ('answer_lost', 'slow', 'decline', 'duplicate', 'late')),
        times BIGINT NOT NULL CHECK (times >= 0)
    )
    """,
)

BACKWARDS = (
    "DROP TABLE sim_fault",
    "DROP TABLE sim_event",
    "DROP TABLE sim_request",
    "DROP TABLE sim_refund",
    "DROP TABLE sim_payment",
    "DROP TABLE sim_session",
    "DROP TABLE sim_card",
    "DROP TABLE sim_customer",
)
