"""Consent to automatic payment with the bills taken by it, and links by which anybody may pay one bill."""

ID = "0069"
DESCRIPTION = "automatic payment and guest links"

FORWARDS = (
    """
    CREATE TABLE autopay_consent (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        words VARCHAR(1000) NOT NULL CHECK (length(words) BETWEEN 1 AND 1000),
        given_by UUID NOT NULL REFERENCES app_user (id),
        given_at TIMESTAMPTZ NOT NULL,
        address VARCHAR(64) NOT NULL CHECK (length(address) <= 64),
        device VARCHAR(200) NOT NULL CHECK (length(device) <= 200),
        ended_by UUID REFERENCES app_user (id),
        ended_at TIMESTAMPTZ
    )
    """,
    "CREATE UNIQUE INDEX autopay_consent_now ON autopay_consent (customer_id) WHERE ended_at IS NULL",
    """
    CREATE TABLE autopay_charge (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        consent_id UUID NOT NULL REFERENCES autopay_consent (id),
        invoice_id UUID NOT NULL,
        charge_on DATE NOT NULL,
        next_at TIMESTAMPTZ NOT NULL,
        round BIGINT NOT NULL CHECK (round = CAST(round AS BIGINT) AND round >= 0),
        tries BIGINT NOT NULL CHECK (tries = CAST(tries AS BIGINT) AND tries BETWEEN 0 AND 3),
        state VARCHAR(8) NOT NULL CHECK (state IN ('waiting', 'paid', 'failed', 'ended')),
        created_at TIMESTAMPTZ NOT NULL,
        ended_at TIMESTAMPTZ,
        UNIQUE (consent_id, invoice_id),
        FOREIGN KEY (customer_id, invoice_id) REFERENCES invoice (customer_id, id)
    )
    """,
    "CREATE INDEX autopay_charge_waiting ON autopay_charge (next_at) WHERE state = 'waiting'",
    """
    CREATE TABLE guest_link (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        invoice_id UUID NOT NULL,
        token_hash VARCHAR(64) NOT NULL UNIQUE CHECK (length(token_hash) = 64),
        request_key VARCHAR(64) NOT NULL UNIQUE CHECK (length(request_key) BETWEEN 16 AND 64),
        made_by UUID NOT NULL REFERENCES app_user (id),
        created_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        revoked_at TIMESTAMPTZ,
        FOREIGN KEY (customer_id, invoice_id) REFERENCES invoice (customer_id, id)
    )
    """,
    "CREATE INDEX guest_link_by_invoice ON guest_link (customer_id, invoice_id)",
    """
    CREATE TABLE guest_receipt (
        payment_id UUID PRIMARY KEY REFERENCES payment (id),
        email VARCHAR(254) NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
        created_at TIMESTAMPTZ NOT NULL
    )
    """,
)

BACKWARDS = (
    "DROP TABLE guest_receipt",
    "DROP TABLE guest_link",
    "DROP TABLE autopay_charge",
    "DROP TABLE autopay_consent",
)
