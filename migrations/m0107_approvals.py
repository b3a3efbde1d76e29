"""A second member of staff agrees to more than money: to a service that changes hands, to a visit without asking first.

The list of kinds is the code's. What has no amount has no currency either.
"""

ID = "0107"
DESCRIPTION = "approvals of any kind"

_COLUMNS = "id, kind, customer_id, about, amount_minor, currency, source, reason, asked_by, asked_at"
_DECIDED = "decided_by, decided_at, decision"


def _table(name: str, kind: str, amount: str, more: str) -> str:
    return f"""
    CREATE TABLE {name} (
        id UUID PRIMARY KEY,
        kind VARCHAR(16) NOT NULL CHECK ({kind}),
        customer_id UUID NOT NULL REFERENCES customer (id),
        about UUID,
        {amount},
        source VARCHAR(16),
        reason VARCHAR(200) NOT NULL CHECK (length(reason) BETWEEN 10 AND 200),
        asked_by UUID NOT NULL REFERENCES app_user (id),
        asked_at TIMESTAMPTZ NOT NULL,
        decided_by UUID REFERENCES app_user (id),
        decided_at TIMESTAMPTZ,
        decision VARCHAR(4) CHECK (decision IN ('yes', 'no')),
        {more}CHECK (decided_by <> asked_by),
        CHECK ((decided_by IS NULL) = (decision IS NULL))
    )
    """


_OLD_AMOUNT = """amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3)"""
_NEW_AMOUNT = """amount_minor BIGINT CHECK (amount_minor > 0),
        currency VARCHAR(3) CHECK (length(currency) = 3)"""
_MORE = """to_customer_id UUID REFERENCES customer (id),
        request_id UUID,
        CHECK ((amount_minor IS NULL) = (currency IS NULL)),
        """
_INDEX = "CREATE INDEX staff_approval_waiting ON staff_approval (asked_at) WHERE decision IS NULL"

FORWARDS = (
    "DROP INDEX staff_approval_waiting",
    "ALTER TABLE staff_approval RENAME TO staff_approval_before",
    _table("staff_approval", "length(kind) BETWEEN 1 AND 16", _NEW_AMOUNT, _MORE),
    f"INSERT INTO staff_approval ({_COLUMNS}, {_DECIDED}) SELECT {_COLUMNS}, {_DECIDED} FROM staff_approval_before",
    "DROP TABLE staff_approval_before",
    _INDEX,
)

BACKWARDS = (
    "DROP INDEX staff_approval_waiting",
    "ALTER TABLE staff_approval RENAME TO staff_approval_after",
    _table("staff_approval", "kind IN ('refund', 'credit')", _OLD_AMOUNT, ""),
    f"""
    INSERT INTO staff_approval ({_COLUMNS}, {_DECIDED}) SELECT {_COLUMNS}, {_DECIDED} FROM staff_approval_after
     WHERE kind IN ('refund', 'credit')
    """,
    "DROP TABLE staff_approval_after",
    _INDEX,
)
