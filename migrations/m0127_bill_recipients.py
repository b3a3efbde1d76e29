"""Further addresses that get a copy of each new bill, and the copies that went there."""

ID = "0127"
DESCRIPTION = "recipients of bills"

FORWARDS = (
    """
    CREATE TABLE bill_recipient (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        email VARCHAR(254) NOT NULL CHECK (length(email) BETWEEN 3 AND 254),
        added_by UUID NOT NULL REFERENCES app_user (id),
        added_at TIMESTAMPTZ NOT NULL,
        confirmed_at TIMESTAMPTZ,
        bills_from DATE,
        stopped_at TIMESTAMPTZ,
        UNIQUE (customer_id, email),
        UNIQUE (customer_id, id),
        CHECK ((confirmed_at IS NULL) = (bills_from IS NULL)),
        CHECK (stopped_at IS NULL OR confirmed_at IS NOT NULL)
    )
    """,
    """
    CREATE TABLE bill_copy (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        recipient_id UUID NOT NULL,
        invoice_id UUID NOT NULL,
        made_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        UNIQUE (recipient_id, invoice_id),
        FOREIGN KEY (customer_id, recipient_id) REFERENCES bill_recipient (customer_id, id) ON DELETE CASCADE,
        FOREIGN KEY (customer_id, invoice_id) REFERENCES invoice (customer_id, id)
    )
    """,
    "CREATE INDEX bill_copy_by_age ON bill_copy (made_at)",
)

BACKWARDS = ("DROP TABLE bill_copy", "DROP TABLE bill_recipient")
