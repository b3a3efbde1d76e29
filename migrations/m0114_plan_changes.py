"""Plans a service may move to, and the changes that were asked for."""

ID = "0114"
DESCRIPTION = "plan changes"

FORWARDS = (
    "ALTER TABLE product ADD COLUMN changes_to JSONB NOT NULL DEFAULT '[]'",
    """
    CREATE TABLE plan_change (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        service_id UUID NOT NULL,
        order_id UUID UNIQUE REFERENCES purchase_order (id),
        was_product_id UUID NOT NULL REFERENCES product (id),
        product_id UUID NOT NULL REFERENCES product (id),
        product_version BIGINT NOT NULL,
        name VARCHAR(100) NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
        price_minor BIGINT NOT NULL CHECK (price_minor = CAST(price_minor AS BIGINT) AND price_minor >= 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        promised TEXT NOT NULL,
        takes_effect_at TIMESTAMPTZ NOT NULL,
        state VARCHAR(8) NOT NULL CHECK (state IN ('waiting', 'ordered', 'done', 'dropped', 'refused')),
        asked_by UUID,
        asked_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ,
        request_key VARCHAR(64) NOT NULL UNIQUE,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE UNIQUE INDEX plan_change_waiting ON plan_change (service_id) WHERE state = 'waiting'",
    "CREATE INDEX plan_change_due ON plan_change (takes_effect_at) WHERE state = 'waiting'",
    "CREATE INDEX plan_change_of_customer ON plan_change (customer_id, service_id)",
)

BACKWARDS = (
    "DROP TABLE plan_change",
    "ALTER TABLE product DROP COLUMN changes_to",
)
