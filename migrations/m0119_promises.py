"""Credit that was lent, and what paid it back."""

ID = "0119"
DESCRIPTION = "credit in advance"

FORWARDS = (
    """
    CREATE TABLE advance (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        service_id UUID NOT NULL,
        order_id UUID NOT NULL UNIQUE REFERENCES purchase_order (id),
        month DATE NOT NULL,
        lent_minor BIGINT NOT NULL CHECK (lent_minor = CAST(lent_minor AS BIGINT) AND lent_minor > 0),
        fee_minor BIGINT NOT NULL CHECK (fee_minor = CAST(fee_minor AS BIGINT) AND fee_minor >= 0),
        owed_minor BIGINT NOT NULL CHECK (owed_minor BETWEEN 0 AND lent_minor + fee_minor),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        state VARCHAR(8) NOT NULL CHECK (state IN ('asked', 'owed', 'repaid', 'failed')),
        asked_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id),
        CHECK ((ended_at IS NULL) = (state IN ('asked', 'owed'))),
        CHECK (state <> 'repaid' OR owed_minor = 0)
    )
    """,
    "CREATE UNIQUE INDEX advance_open ON advance (customer_id) WHERE state IN ('asked', 'owed')",
    "CREATE UNIQUE INDEX advance_of_month ON advance (customer_id, month) WHERE state <> 'failed'",
    """
    CREATE TABLE advance_repayment (
        order_id UUID PRIMARY KEY REFERENCES purchase_order (id),
        advance_id UUID NOT NULL REFERENCES advance (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        held_at TIMESTAMPTZ NOT NULL,
        done_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX advance_repayment_of ON advance_repayment (advance_id)",
)

BACKWARDS = (
    "DROP TABLE advance_repayment",
    "DROP TABLE advance",
)
