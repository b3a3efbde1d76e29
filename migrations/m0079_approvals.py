"""What a second member of staff has to agree to."""

ID = "0079"
DESCRIPTION = "approvals of staff"

FORWARDS = (
    """
    CREATE TABLE staff_approval (
        id UUID PRIMARY KEY,
        kind VARCHAR(16) NOT NULL CHECK (kind IN ('refund', 'credit')),
        customer_id UUID NOT NULL REFERENCES customer (id),
        about UUID,
        amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        source VARCHAR(16),
        reason VARCHAR(200) NOT NULL CHECK (length(reason) BETWEEN 10 AND 200),
        asked_by UUID NOT NULL REFERENCES app_user (id),
        asked_at TIMESTAMPTZ NOT NULL,
        decided_by UUID REFERENCES app_user (id),
        decided_at TIMESTAMPTZ,
        decision VARCHAR(4) CHECK (decision IN ('yes', 'no')),
        CHECK (decided_by <> asked_by),
        CHECK ((decided_by IS NULL) = (decision IS NULL))
    )
    """,
    "CREATE INDEX staff_approval_waiting ON staff_approval (asked_at) WHERE decision IS NULL",
)

BACKWARDS = ("DROP TABLE staff_approval",)
