"""Counted attempts, locks, one-time links, second factors and known devices."""

ID = "0050"
DESCRIPTION = "attempts, locks, one-time links, second factors and known devices"

FORWARDS = (
    """
    CREATE TABLE attempt (
        key VARCHAR(64) PRIMARY KEY CHECK (length(key) = 64),
        used BIGINT NOT NULL CHECK (used >= 0),
        window_ends_at TIMESTAMPTZ NOT NULL
    )
    """,
    """
    CREATE TABLE sign_in_lock (
        key VARCHAR(64) PRIMARY KEY CHECK (length(key) = 64),
        claimed BIGINT NOT NULL CHECK (claimed >= 0),
        failed BIGINT NOT NULL CHECK (failed >= 0),
        window_ends_at TIMESTAMPTZ NOT NULL,
        locked_until TIMESTAMPTZ,
        locks_on DATE,
        locks BIGINT NOT NULL CHECK (locks >= 0)
    )
    """,
    """
    CREATE TABLE one_time_token (
        hash VARCHAR(64) PRIMARY KEY CHECK (length(hash) = 64),
        purpose VARCHAR(32) NOT NULL,
        user_id UUID REFERENCES app_user (id),
        data JSONB NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        used_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX one_time_token_by_user ON one_time_token (user_id, purpose)",
    """
    CREATE TABLE backup_code (
        id UUID PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES app_user (id),
        slot VARCHAR(1) NOT NULL CHECK (length(slot) = 1),
        hash VARCHAR(255) NOT NULL,
        used_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ NOT NULL,
        UNIQUE (user_id, slot)
    )
    """,
    """
    CREATE TABLE known_device (
        hash VARCHAR(64) PRIMARY KEY CHECK (length(hash) = 64),
        user_id UUID NOT NULL REFERENCES app_user (id),
        first_seen_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX known_device_by_user ON known_device (user_id)",
    """
    CREATE TABLE remembered_sign_in (
        series VARCHAR(64) PRIMARY KEY CHECK (length(series) = 64),
        user_id UUID NOT NULL REFERENCES app_user (id),
        token_hash VARCHAR(64) NOT NULL CHECK (length(token_hash) = 64),
        previous_hash VARCHAR(64) CHECK (length(previous_hash) = 64),
        rotated_at TIMESTAMPTZ NOT NULL,
        expires_at TIMESTAMPTZ NOT NULL,
        device VARCHAR(200) NOT NULL CHECK (length(device) <= 200),
        revoked_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX remembered_sign_in_by_user ON remembered_sign_in (user_id)",
    """
    CREATE TABLE passkey (
        id UUID PRIMARY KEY,
        user_id UUID NOT NULL REFERENCES app_user (id),
        credential_id VARCHAR(1400) NOT NULL UNIQUE CHECK (length(credential_id) <= 1400),
        public_key TEXT NOT NULL CHECK (length(public_key) <= 4000),
        sign_count BIGINT NOT NULL,
        name VARCHAR(60) NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
        transports VARCHAR(100) NOT NULL CHECK (length(transports) <= 100),
        created_at TIMESTAMPTZ NOT NULL,
        last_used_at TIMESTAMPTZ,
        removed_at TIMESTAMPTZ
    )
    """,
    "CREATE INDEX passkey_by_user ON passkey (user_id)",
)

BACKWARDS = (
    "DROP TABLE passkey",
    "DROP TABLE remembered_sign_in",
    "DROP TABLE known_device",
    "DROP TABLE backup_code",
    "DROP TABLE one_time_token",
    "DROP TABLE sign_in_lock",
    "DROP TABLE attempt",
)
