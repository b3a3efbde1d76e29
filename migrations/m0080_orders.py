"""What customers buy, and each step a purchase took."""

ID = "0080"
DESCRIPTION = "orders"

FORWARDS = (
    """
    CREATE TABLE purchase_order (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        kind VARCHAR(8) NOT NULL
            CHECK (kind IN ('topup', 'addon', 'plan', 'change', 'bundle', 'voucher', 'promise')),
        reference VARCHAR(16) NOT NULL UNIQUE,
        request_key VARCHAR(64) NOT NULL UNIQUE CHECK (length(request_key) BETWEEN 16 AND 64),
        name VARCHAR(160) NOT NULL CHECK (length(name) BETWEEN 1 AND 160),
        service_id UUID,
        owner_id UUID REFERENCES customer (id),
        beneficiary VARCHAR(16),
        product_id UUID REFERENCES product (id),
        product_version BIGINT CHECK (product_version = CAST(product_version AS BIGINT)),
        parent_id UUID REFERENCES purchase_order (id),
        price_minor BIGINT NOT NULL CHECK (price_minor = CAST(price_minor AS BIGINT) AND price_minor >= 0),
        tax_permille BIGINT NOT NULL
            CHECK (tax_permille = CAST(tax_permille AS BIGINT) AND tax_permille BETWEEN 0 AND 1000),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        delivers TEXT NOT NULL,
        auto BOOLEAN NOT NULL,
        payment_id UUID UNIQUE REFERENCES payment (id),
        state VARCHAR(12) NOT NULL CHECK (state IN ('open', 'paid', 'delivering', 'delivered', 'failed', 'refund_due',
            'refunded', 'review', 'canceled')),
        problem VARCHAR(200),
        asked_by UUID REFERENCES app_user (id),
        created_at TIMESTAMPTZ NOT NULL,
        changed_at TIMESTAMPTZ NOT NULL,
        deadline_at TIMESTAMPTZ,
        lease_until TIMESTAMPTZ,
        delivered_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX purchase_order_of_customer ON purchase_order (customer_id, created_at)",
    "CREATE INDEX purchase_order_of_service ON purchase_order (service_id, created_at)",
    """
    CREATE INDEX purchase_order_under_way ON purchase_order (changed_at)
     WHERE state IN ('open', 'paid', 'delivering', 'refund_due', 'review')
    """,
    """
    CREATE TABLE order_step (
        id UUID PRIMARY KEY,
        order_id UUID NOT NULL REFERENCES purchase_order (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        state VARCHAR(12) NOT NULL,
        at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX order_step_of_order ON order_step (order_id, at)",
)

BACKWARDS = (
    "DROP TABLE order_step",
    "DROP TABLE purchase_order",
)
