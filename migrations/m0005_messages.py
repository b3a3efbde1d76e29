"""Messages to people, addresses that refused one, and the outbox of the demo."""

ID = "0005"
DESCRIPTION = "messages"

FORWARDS = (
    """
    CREATE TABLE notification (
        id UUID PRIMARY KEY,
        event VARCHAR(60) NOT NULL CHECK (length(event) BETWEEN 1 AND 60),
        category VARCHAR(16) NOT NULL CHECK (category IN ('billing', 'usage', 'service', 'security', 'news')),
        channel VARCHAR(16) NOT NULL CHECK (channel IN ('email', 'sms', 'push', 'portal')),
        user_id UUID,
        customer_id UUID,
        address VARCHAR(254) CHECK (length(address) BETWEEN 3 AND 254),
        about VARCHAR(64) CHECK (length(about) <= 64),
        dedupe_key VARCHAR(200) NOT NULL UNIQUE CHECK (length(dedupe_key) BETWEEN 1 AND 200),
        state VARCHAR(8) NOT NULL CHECK (state IN ('queued', 'sent', 'failed', 'dropped')),
        details JSONB NOT NULL,
        sealed TEXT CHECK (sealed IS NULL OR state = 'queued'),
        subject VARCHAR(200) CHECK (length(subject) <= 200),
        body TEXT,
        tries BIGINT NOT NULL CHECK (tries = CAST(tries AS BIGINT) AND tries >= 0),
        last_error VARCHAR(500) CHECK (length(last_error) <= 500),
        created_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        sent_at TIMESTAMPTZ,
        CHECK ((user_id IS NULL) <> (address IS NULL)),
        CHECK ((state = 'sent') = (sent_at IS NOT NULL))
    )
    """,
    "CREATE INDEX notification_of_user ON notification (user_id, created_at, id) WHERE user_id IS NOT NULL",
    "CREATE INDEX notification_queued ON notification (expires_at) WHERE state = 'queued'",
    "CREATE INDEX notification_by_time ON notification (created_at)",
    """
    CREATE TABLE refused_address (
        address VARCHAR(254) PRIMARY KEY CHECK (length(address) BETWEEN 3 AND 254),
        code BIGINT NOT NULL CHECK (code = CAST(code AS BIGINT)),
        at TIMESTAMPTZ NOT NULL
    )
    """,
    """
    CREATE TABLE outbox_mail (
        id UUID PRIMARY KEY,
        mail_to VARCHAR(254) NOT NULL CHECK (length(mail_to) <= 254),
        mail_from VARCHAR(400) NOT NULL CHECK (length(mail_from) <= 400),
        subject VARCHAR(998) NOT NULL CHECK (length(subject) <= 998),
        text TEXT NOT NULL,
        html TEXT NOT NULL,
        source TEXT NOT NULL,
        at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX outbox_mail_by_time ON outbox_mail (at, id)",
)

BACKWARDS = ("DROP TABLE outbox_mail", "DROP TABLE refused_address", "DROP TABLE notification")
