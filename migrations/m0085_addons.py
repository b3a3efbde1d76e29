"""Add-ons that run on services, and the work at the network that makes purchases real."""

ID = "0085"
DESCRIPTION = "add-ons"

FORWARDS = (
    """
    ALTER TABLE product ADD COLUMN lasts_days BIGINT
        CHECK (lasts_days = CAST(lasts_days AS BIGINT) AND lasts_days > 0)
    """,
    "ALTER TABLE product ADD COLUMN activation VARCHAR(200)",
    """
    CREATE TABLE service_addon (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        service_id UUID NOT NULL,
        product_id UUID NOT NULL REFERENCES product (id),
        order_id UUID UNIQUE REFERENCES purchase_order (id),
        name VARCHAR(100) NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
        icon VARCHAR(32) NOT NULL,
        price_minor BIGINT NOT NULL CHECK (price_minor = CAST(price_minor AS BIGINT) AND price_minor >= 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        tax_permille BIGINT NOT NULL
            CHECK (tax_permille = CAST(tax_permille AS BIGINT) AND tax_permille BETWEEN 0 AND 1000),
        recurring BOOLEAN NOT NULL,
        grants TEXT NOT NULL,
        starts_at TIMESTAMPTZ NOT NULL,
        paid_until TIMESTAMPTZ,
        term_ends_at TIMESTAMPTZ,
        ends_at TIMESTAMPTZ,
        removal_asked_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ NOT NULL,
        CHECK (recurring = (paid_until IS NOT NULL)),
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE INDEX service_addon_of_service ON service_addon (service_id, starts_at)",
    "CREATE INDEX service_addon_of_customer ON service_addon (customer_id)",
    "CREATE INDEX service_addon_due ON service_addon (paid_until)",
    """
    CREATE TABLE provisioning_job (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        service_id UUID NOT NULL,
        action VARCHAR(16) NOT NULL,
        what VARCHAR(160) NOT NULL,
        behaves VARCHAR(8) NOT NULL CHECK (behaves IN ('works', 'slow', 'fails', 'unknown')),
        started_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX provisioning_job_of_customer ON provisioning_job (customer_id)",
    "CREATE INDEX provisioning_job_age ON provisioning_job (started_at)",
    """
    CREATE TABLE provisioning_switch (
        name VARCHAR(8) PRIMARY KEY CHECK (name = 'behaves'),
        value VARCHAR(8) NOT NULL CHECK (value IN ('works', 'slow', 'fails', 'unknown'))
    )
    """,
)

BACKWARDS = (
    "DROP TABLE provisioning_switch",
    "DROP TABLE provisioning_job",
    "DROP TABLE service_addon",
    "ALTER TABLE product DROP COLUMN activation",
    "ALTER TABLE product DROP COLUMN lasts_days",
)
