"""Customers, people, who belongs to whom, and sign-ins."""

ID = "0001"
DESCRIPTION = "customers, people, memberships and sign-ins"

FORWARDS = (
    """
    CREATE TABLE customer (
        id UUID PRIMARY KEY,
        number VARCHAR(32) NOT NULL UNIQUE CHECK (length(number) BETWEEN 1 AND 32),
        name VARCHAR(160) NOT NULL CHECK (length(name) BETWEEN 1 AND 160),
        type VARCHAR(16) NOT NULL CHECK (type IN ('individual', 'business')),
        status VARCHAR(16) NOT NULL CHECK (status IN ('open', 'suspended', 'closed', 'archived')),
        pays VARCHAR(16) NOT NULL CHECK (pays IN ('prepaid', 'postpaid')),
        enabled BOOLEAN NOT NULL,
        tax_id VARCHAR(40) CHECK (length(tax_id) <= 40),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        zone VARCHAR(64) NOT NULL CHECK (length(zone) <= 64),
        language VARCHAR(16) NOT NULL CHECK (length(language) <= 16),
        contract_start DATE,
        contract_end DATE,
        billing_address TEXT NOT NULL CHECK (length(billing_address) <= 800),
        primary_contact_id UUID,
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80)
    )
    """,
    """
    CREATE TABLE app_user (
        id UUID PRIMARY KEY,
        email VARCHAR(254) NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
        email_verified_at TIMESTAMPTZ,
        pending_email VARCHAR(254) CHECK (length(pending_email) <= 254),
        phone VARCHAR(20) CHECK (length(phone) <= 20),
        display_name VARCHAR(100) NOT NULL CHECK (length(display_name) <= 100),
        password_hash VARCHAR(255) CHECK (length(password_hash) <= 255),
        password_changed_at TIMESTAMPTZ,
        totp_secret TEXT,
        totp_last_step BIGINT,
        language VARCHAR(16) NOT NULL CHECK (length(language) <= 16),
        theme VARCHAR(16) NOT NULL CHECK (theme IN ('system', 'light', 'dark')),
        staff_rights JSONB,
        disabled_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80)
    )
    """,
    "CREATE UNIQUE INDEX app_user_email ON app_user (lower(email))",
    """
    CREATE TABLE membership (
        id UUID PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES app_user (id),
        customer_id UUID NOT NULL REFERENCES customer (id),
        role VARCHAR(16) NOT NULL CHECK (role IN ('owner', 'payer', 'user', 'viewer')),
        service_ids JSONB,
        invited_at TIMESTAMPTZ,
        accepted_at TIMESTAMPTZ,
        removed_at TIMESTAMPTZ
    )
    """,
    "CREATE UNIQUE INDEX membership_current ON membership (user_id, customer_id) WHERE removed_at IS NULL",
    "CREATE INDEX membership_by_customer ON membership (customer_id)",
    """
    CREATE TABLE session (
        id_hash VARCHAR(64) PRIMARY KEY CHECK (length(id_hash) = 64),
        public_id UUID NOT NULL UNIQUE,
        user_id UUID NOT NULL REFERENCES app_user (id),
        customer_id UUID,
        created_at TIMESTAMPTZ NOT NULL,
        last_seen_at TIMESTAMPTZ NOT NULL,
        proved_at TIMESTAMPTZ,
        idle_seconds BIGINT NOT NULL CHECK (idle_seconds > 0),
        ends_at TIMESTAMPTZ NOT NULL,
        shared_device BOOLEAN NOT NULL,
        address VARCHAR(64) NOT NULL CHECK (length(address) <= 64),
        device VARCHAR(200) NOT NULL CHECK (length(device) <= 200),
        revoked_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX session_by_user ON session (user_id, created_at)",
    """
    CREATE TABLE kept_form (
        id UUID PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES app_user (id),
        path VARCHAR(500) NOT NULL CHECK (length(path) <= 500),
        fields JSONB NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX kept_form_by_user ON kept_form (user_id)",
    "CREATE TABLE readiness (id BIGINT PRIMARY KEY, at TIMESTAMPTZ NOT NULL)",
)

BACKWARDS = (
    "DROP TABLE readiness",
    "DROP TABLE kept_form",
    "DROP TABLE session",
    "DROP TABLE membership",
    "DROP TABLE app_user",
    "DROP TABLE customer",
)
