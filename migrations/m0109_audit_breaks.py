"""Where the audit log was found changed, until somebody says that they have seen it and why it is."""

ID = "0109"
DESCRIPTION = "breaks of the audit log"

FORWARDS = (
    """
    CREATE TABLE audit_break (
        id UUID PRIMARY KEY,
        chain VARCHAR(36) NOT NULL,
        number BIGINT NOT NULL CHECK (number = CAST(number AS BIGINT) AND number >= 1),
        what VARCHAR(12) NOT NULL CHECK (length(what) <= 12),
        found_at TIMESTAMPTZ NOT NULL,
        seen_by UUID REFERENCES app_user (id),
        seen_at TIMESTAMPTZ,
        reason VARCHAR(200) CHECK (length(reason) BETWEEN 10 AND 200),
        UNIQUE (chain, number, what),
        CHECK ((seen_by IS NULL) = (reason IS NULL))
    )
    """,
)

BACKWARDS = ("DROP TABLE audit_break",)
