"""Stored cards: what the gateway lets us show, never a card number."""

ID = "0014"
DESCRIPTION = "payment methods"

FORWARDS = (
    """
    CREATE TABLE payment_method (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        kind VARCHAR(8) NOT NULL CHECK (kind IN ('card')),
        brand VARCHAR(20) NOT NULL CHECK (length(brand) BETWEEN 1 AND 20),
        last4 VARCHAR(4) NOT NULL CHECK (length(last4) = 4),
        exp_month BIGINT NOT NULL CHECK (exp_month = CAST(exp_month AS BIGINT) AND exp_month BETWEEN 1 AND 12),
        exp_year BIGINT NOT NULL CHECK (exp_year = CAST(exp_year AS BIGINT) AND exp_year BETWEEN 2000 AND 2199),
        holder VARCHAR(100) NOT NULL CHECK (length(holder) <= 100),
        nickname VARCHAR(40) CHECK (length(nickname) BETWEEN 1 AND 40),
        is_default BOOLEAN NOT NULL,
        position BIGINT NOT NULL CHECK (position = CAST(position AS BIGINT) AND position >= 1),
        token_ref VARCHAR(255) NOT NULL CHECK (length(token_ref) BETWEEN 1 AND 255),
        fingerprint VARCHAR(64) NOT NULL CHECK (length(fingerprint) <= 64),
        added_by UUID REFERENCES app_user (id),
        removed_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ NOT NULL,
        UNIQUE (customer_id, id)
    )
    """,
    """
    CREATE UNIQUE INDEX payment_method_default ON payment_method (customer_id)
        WHERE is_default AND removed_at IS NULL
    """,
    "CREATE UNIQUE INDEX payment_method_token ON payment_method (token_ref) WHERE removed_at IS NULL",
)

BACKWARDS = ("DROP TABLE payment_method",)
