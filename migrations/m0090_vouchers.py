"""Vouchers: codes that are worth an allowance or credit, once."""

ID = "0090"
DESCRIPTION = "vouchers"

FORWARDS = (
    """
    CREATE TABLE voucher_batch (
        id UUID PRIMARY KEY,
        name VARCHAR(100) NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
        worth VARCHAR(100) NOT NULL CHECK (length(worth) BETWEEN 1 AND 100),
        product_id UUID REFERENCES product (id),
        service_type VARCHAR(16),
        grants TEXT,
        amount_minor BIGINT CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor > 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        usable_until TIMESTAMPTZ,
        made_at TIMESTAMPTZ NOT NULL,
        CHECK ((amount_minor IS NULL) = (grants IS NOT NULL)),
        CHECK ((service_type IS NULL) = (grants IS NULL))
    )
    """,
    """
    CREATE TABLE voucher (
        id UUID PRIMARY KEY,
        batch_id UUID NOT NULL REFERENCES voucher_batch (id),
        code_hash VARCHAR(64) NOT NULL UNIQUE CHECK (length(code_hash) = 64),
        used_at TIMESTAMPTZ,
        customer_id UUID REFERENCES customer (id),
        used_by UUID REFERENCES app_user (id),
        order_id UUID REFERENCES purchase_order (id),
        request_key VARCHAR(64) UNIQUE CHECK (length(request_key) BETWEEN 16 AND 64),
        CHECK ((used_at IS NULL) = (customer_id IS NULL))
    )
    """,
    "CREATE INDEX voucher_of_customer ON voucher (customer_id, used_at)",
    "CREATE INDEX voucher_of_batch ON voucher (batch_id)",
)

BACKWARDS = (
    "DROP TABLE voucher",
    "DROP TABLE voucher_batch",
)
