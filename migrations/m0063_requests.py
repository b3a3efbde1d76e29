"""What customers ask of the operator's people, what is said about it, and the lines of bills that are in question."""

ID = "0063"
DESCRIPTION = "requests, replies and questioned lines"

KINDS = """
    'refund', 'dispute', 'question', 'transfer', 'customer_type', 'primary_contact', 'contact_change', 'site_change',
    'merge', 'cancellation', 'provisioning', 'port_in', 'erasure', 'other'
"""
STATES = "'open', 'waiting_customer', 'done', 'declined', 'withdrawn'"

FORWARDS = (
    f"""
    CREATE TABLE request (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        user_id UUID NOT NULL REFERENCES app_user (id),
        reference VARCHAR(16) NOT NULL UNIQUE,
        kind VARCHAR(20) NOT NULL CHECK (kind IN ({KINDS})),
        state VARCHAR(20) NOT NULL CHECK (state IN ({STATES})),
        text VARCHAR(2000) NOT NULL CHECK (length(text) <= 2000),
        about UUID,
        about_words VARCHAR(200) NOT NULL CHECK (length(about_words) <= 200),
        refund_id UUID REFERENCES refund (id),
        credit_note_id UUID,
        request_key VARCHAR(64) NOT NULL UNIQUE CHECK (length(request_key) BETWEEN 16 AND 64),
        created_at TIMESTAMPTZ NOT NULL,
        changed_at TIMESTAMPTZ NOT NULL,
        UNIQUE (customer_id, id),
        FOREIGN KEY (customer_id, credit_note_id) REFERENCES invoice (customer_id, id)
    )
    """,
    "CREATE INDEX request_by_customer ON request (customer_id, created_at, id)",
    "CREATE INDEX request_by_state ON request (state, changed_at, id)",
    """
    CREATE TABLE request_reply (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        request_id UUID NOT NULL,
        user_id UUID NOT NULL REFERENCES app_user (id),
        by_staff BOOLEAN NOT NULL,
        text VARCHAR(2000) NOT NULL CHECK (length(text) <= 2000),
        created_at TIMESTAMPTZ NOT NULL,
        FOREIGN KEY (customer_id, request_id) REFERENCES request (customer_id, id)
    )
    """,
    "CREATE INDEX request_reply_by_request ON request_reply (customer_id, request_id, created_at)",
    """
    CREATE TABLE bill_question (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        invoice_id UUID NOT NULL,
        line_id UUID NOT NULL,
        request_id UUID NOT NULL UNIQUE,
        asked_at TIMESTAMPTZ NOT NULL,
        paused_until TIMESTAMPTZ NOT NULL,
        closed_at TIMESTAMPTZ,
        credited_net_minor BIGINT
            CHECK (credited_net_minor = CAST(credited_net_minor AS BIGINT) AND credited_net_minor >= 0),
        credited_tax_minor BIGINT
            CHECK (credited_tax_minor = CAST(credited_tax_minor AS BIGINT) AND credited_tax_minor >= 0),
        FOREIGN KEY (customer_id, invoice_id) REFERENCES invoice (customer_id, id),
        FOREIGN KEY (customer_id, line_id) REFERENCES billing_transaction (customer_id, id)
    )
    """,
    "CREATE UNIQUE INDEX bill_question_open ON bill_question (line_id) WHERE closed_at IS NULL",
    "CREATE INDEX bill_question_by_bill ON bill_question (customer_id, invoice_id)",
)

BACKWARDS = (
    "DROP TABLE bill_question",
    "DROP TABLE request_reply",
    "DROP TABLE request",
)
