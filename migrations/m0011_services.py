"""What is sold, and what each customer has bought."""

ID = "0011"
DESCRIPTION = "products and services"

FORWARDS = (
    """
    CREATE TABLE product (
        id UUID PRIMARY KEY,
        slug VARCHAR(80) NOT NULL UNIQUE CHECK (length(slug) BETWEEN 1 AND 80),
        name VARCHAR(100) NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
        description TEXT NOT NULL CHECK (length(description) <= 2000),
        category VARCHAR(16) NOT NULL CHECK (category IN ('plan', 'topup', 'addon', 'bundle')),
        service_type VARCHAR(16) NOT NULL CHECK (length(service_type) BETWEEN 1 AND 16),
        customer_types JSONB NOT NULL,
        requires JSONB NOT NULL,
        excludes JSONB NOT NULL,
        enabled BOOLEAN NOT NULL,
        on_sale_from TIMESTAMPTZ,
        on_sale_until TIMESTAMPTZ,
        sort BIGINT NOT NULL CHECK (sort = CAST(sort AS BIGINT)),
        icon VARCHAR(32) NOT NULL CHECK (length(icon) <= 32),
        features JSONB NOT NULL,
        terms_url VARCHAR(500) CHECK (length(terms_url) <= 500),
        price_minor BIGINT NOT NULL CHECK (price_minor = CAST(price_minor AS BIGINT) AND price_minor >= 0),
        setup_price_minor BIGINT NOT NULL
            CHECK (setup_price_minor = CAST(setup_price_minor AS BIGINT) AND setup_price_minor >= 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        period VARCHAR(8) NOT NULL CHECK (period IN ('none', 'day', 'week', 'month', 'year')),
        custom_min_minor BIGINT CHECK (custom_min_minor = CAST(custom_min_minor AS BIGINT) AND custom_min_minor > 0),
        custom_max_minor BIGINT
            CHECK (custom_max_minor = CAST(custom_max_minor AS BIGINT) AND custom_max_minor >= custom_min_minor),
        tax_code VARCHAR(16) NOT NULL CHECK (length(tax_code) <= 16),
        tax_permille BIGINT NOT NULL
            CHECK (tax_permille = CAST(tax_permille AS BIGINT) AND tax_permille BETWEEN 0 AND 1000),
        grants JSONB NOT NULL,
        repeatable BOOLEAN NOT NULL,
        editable JSONB NOT NULL,
        min_term BIGINT NOT NULL CHECK (min_term = CAST(min_term AS BIGINT) AND min_term >= 0),
        version BIGINT NOT NULL CHECK (version = CAST(version AS BIGINT) AND version >= 1),
        provisioning_play VARCHAR(100) CHECK (length(provisioning_play) <= 100),
        provisioning_vars JSONB NOT NULL,
        wholesale_cost_minor BIGINT CHECK (wholesale_cost_minor = CAST(wholesale_cost_minor AS BIGINT)),
        wholesale_setup_cost_minor BIGINT
            CHECK (wholesale_setup_cost_minor = CAST(wholesale_setup_cost_minor AS BIGINT)),
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80)
    )
    """,
    """
    CREATE TABLE service (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        product_id UUID NOT NULL REFERENCES product (id),
        site_id UUID,
        name VARCHAR(160) NOT NULL CHECK (length(name) BETWEEN 1 AND 160),
        nickname VARCHAR(60) CHECK (length(nickname) BETWEEN 1 AND 60),
        type VARCHAR(16) NOT NULL CHECK (length(type) BETWEEN 1 AND 16),
        state VARCHAR(16) NOT NULL CHECK (state IN ('pending', 'active', 'suspended', 'ended')),
        suspend_reason VARCHAR(16)
            CHECK (suspend_reason IN ('payment', 'staff', 'fraud', 'customer', 'lost')),
        end_reason VARCHAR(16) CHECK (end_reason IN ('expired', 'cancelled')),
        activated_at TIMESTAMPTZ,
        suspended_at TIMESTAMPTZ,
        ended_at TIMESTAMPTZ,
        ends_at TIMESTAMPTZ,
        renews BOOLEAN NOT NULL,
        monthly_minor BIGINT NOT NULL CHECK (monthly_minor = CAST(monthly_minor AS BIGINT) AND monthly_minor >= 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        msisdn VARCHAR(16) CHECK (length(msisdn) <= 16),
        iccid VARCHAR(22) CHECK (length(iccid) <= 22),
        ocs_account VARCHAR(80) CHECK (length(ocs_account) <= 80),
        contract_ends_on DATE,
        lock_sim BOOLEAN NOT NULL,
        lock_port BOOLEAN NOT NULL,
        next_product_id UUID REFERENCES product (id),
        cancel_at TIMESTAMPTZ,
        configuration JSONB NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80),
        UNIQUE (customer_id, id),
        FOREIGN KEY (customer_id, site_id) REFERENCES site (customer_id, id),
        CHECK ((state = 'suspended') = (suspend_reason IS NOT NULL)),
        CHECK ((state = 'ended') = (end_reason IS NOT NULL))
    )
    """,
    "CREATE UNIQUE INDEX service_number ON service (msisdn) WHERE msisdn IS NOT NULL AND state <> 'ended'",
    "CREATE UNIQUE INDEX service_ocs_account ON service (ocs_account) WHERE ocs_account IS NOT NULL",
    "CREATE INDEX service_ending ON service (ends_at) WHERE ends_at IS NOT NULL AND state <> 'ended'",
)

BACKWARDS = (
    "DROP TABLE service",
    "DROP TABLE product",
)
