"""What customers promised to pay by a day, so that they stay connected until then."""

ID = "0131"
DESCRIPTION = "promises to pay"

FORWARDS = (
    """
    CREATE TABLE payment_promise (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        month DATE NOT NULL,
        due_before DATE NOT NULL,
        pay_by DATE NOT NULL,
        amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
        currency VARCHAR(3) NOT NULL,
        asked_by UUID NOT NULL REFERENCES app_user (id),
        asked_at TIMESTAMPTZ NOT NULL,
        state VARCHAR(8) NOT NULL CHECK (state IN ('open', 'kept', 'broken')),
        ended_at TIMESTAMPTZ,
        UNIQUE (customer_id, month),
        CHECK ((state = 'open') = (ended_at IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX payment_promise_open ON payment_promise (customer_id) WHERE state = 'open'",
)

BACKWARDS = ("DROP TABLE payment_promise",)
