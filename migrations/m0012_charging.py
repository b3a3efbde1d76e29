"""The embedded charging system: buckets, what was put into them, and what was used.

Grants and usage records are written by the million and never referred to as (customer_id, id): they carry the index
their reads need instead of the usual UNIQUE. The bucket of a record is history and outlives the bucket in a remote
charging system, so it is no foreign key.
"""

ID = "0012"
DESCRIPTION = "buckets, allowance grants and usage records"

FORWARDS = (
    """
    CREATE TABLE bucket (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        service_id UUID NOT NULL,
        members JSONB,
        kind VARCHAR(8) NOT NULL CHECK (kind IN ('data', 'voice', 'sms', 'mms', 'money', 'other')),
        label VARCHAR(100) NOT NULL CHECK (length(label) <= 100),
        origin VARCHAR(16) NOT NULL CHECK (origin IN ('bonus', 'topup', 'plan', 'rollover', 'gift')),
        currency VARCHAR(3) CHECK (length(currency) = 3),
        remaining BIGINT NOT NULL CHECK (remaining = CAST(remaining AS BIGINT)),
        reserved BIGINT NOT NULL CHECK (reserved = CAST(reserved AS BIGINT) AND reserved >= 0),
        is_unlimited BOOLEAN NOT NULL,
        consume_order BIGINT NOT NULL CHECK (consume_order = CAST(consume_order AS BIGINT) AND consume_order >= 1),
        scope VARCHAR(16) NOT NULL
            CHECK (scope IN ('any', 'national', 'on_net', 'international', 'roaming', 'premium')),
        starts_at TIMESTAMPTZ,
        expires_at TIMESTAMPTZ,
        blocker BOOLEAN NOT NULL,
        disabled BOOLEAN NOT NULL,
        counts_mms BOOLEAN NOT NULL,
        as_of TIMESTAMPTZ NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80),
        UNIQUE (customer_id, id),
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id),
        CHECK (remaining >= 0 OR kind = 'money'),
        CHECK ((kind = 'money') = (currency IS NOT NULL))
    )
    """,
    "CREATE INDEX bucket_by_service ON bucket (customer_id, service_id, kind, consume_order)",
    "CREATE INDEX bucket_expiring ON bucket (expires_at) WHERE expires_at IS NOT NULL",
    """
    CREATE TABLE allowance_grant (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        bucket_id UUID NOT NULL,
        amount BIGINT NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND (amount >= 0 OR reason = 'correction')),
        mode VARCHAR(8) NOT NULL CHECK (mode IN ('add', 'reset')),
        period_start TIMESTAMPTZ NOT NULL,
        period_end TIMESTAMPTZ CHECK (period_end > period_start),
        order_id UUID,
        reason VARCHAR(16) NOT NULL CHECK (reason IN ('activation', 'renewal', 'purchase', 'bonus', 'correction')),
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80),
        FOREIGN KEY (customer_id, bucket_id) REFERENCES bucket (customer_id, id)
    )
    """,
    """
    CREATE INDEX allowance_grant_by_bucket
        ON allowance_grant (customer_id, bucket_id, period_start, period_end, amount, mode)
    """,
    """
    CREATE TABLE usage_record (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        service_id UUID NOT NULL,
        kind VARCHAR(8) NOT NULL CHECK (kind IN ('call', 'data', 'sms', 'mms')),
        direction VARCHAR(4) NOT NULL CHECK (direction IN ('out', 'in')),
        class VARCHAR(16) NOT NULL CHECK (class IN ('on_net', 'off_net', 'international', 'premium', 'roaming')),
        started_at TIMESTAMPTZ NOT NULL,
        seconds BIGINT NOT NULL CHECK (seconds = CAST(seconds AS BIGINT) AND seconds >= 0),
        bytes BIGINT NOT NULL CHECK (bytes = CAST(bytes AS BIGINT) AND bytes >= 0),
        count BIGINT NOT NULL CHECK (count = CAST(count AS BIGINT) AND count >= 0),
        other_party VARCHAR(40) CHECK (length(other_party) <= 40),
        country VARCHAR(2) CHECK (length(country) = 2),
        cost_minor BIGINT NOT NULL CHECK (cost_minor = CAST(cost_minor AS BIGINT)),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        bucket_id UUID,
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) NOT NULL UNIQUE CHECK (length(external_id) BETWEEN 1 AND 80),
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE INDEX usage_record_by_service ON usage_record (customer_id, service_id, started_at, id)",
)

BACKWARDS = (
    "DROP TABLE usage_record",
    "DROP TABLE allowance_grant",
    "DROP TABLE bucket",
)
