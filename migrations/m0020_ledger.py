"""The ledger of the embedded charging system: what each bucket was given and gave, use by use.

`granted` is NULL where a bucket came from elsewhere and nobody knows what was put into it. Where it is known, the sum
always comes out: what was put in is what was used, what is left and what a reset ended unused.
"""

ID = "0020"
DESCRIPTION = "the ledger of usage"

FORWARDS = (
    "ALTER TABLE bucket ADD COLUMN granted BIGINT CHECK (granted = CAST(granted AS BIGINT) AND granted >= 0)",
    """
    ALTER TABLE bucket ADD COLUMN consumed BIGINT NOT NULL DEFAULT 0
        CHECK (consumed = CAST(consumed AS BIGINT) AND consumed >= 0)
    """,
    """
    ALTER TABLE bucket ADD COLUMN consumed_before BIGINT NOT NULL DEFAULT 0
        CHECK (consumed_before = CAST(consumed_before AS BIGINT) AND consumed_before BETWEEN 0 AND consumed)
    """,
    """
    ALTER TABLE bucket ADD COLUMN forfeited BIGINT NOT NULL DEFAULT 0
        CHECK (forfeited = CAST(forfeited AS BIGINT) AND forfeited >= 0)
        CHECK (granted IS NULL OR is_unlimited OR granted = consumed + remaining + forfeited)
    """,
    "ALTER TABLE bucket ADD COLUMN period_started_at TIMESTAMPTZ",
    "CREATE INDEX bucket_shared ON bucket (customer_id) WHERE members IS NOT NULL",
    """
    CREATE TABLE consumption (
        record_id UUID NOT NULL,
        bucket_id UUID NOT NULL,
        customer_id UUID NOT NULL,
        amount BIGINT NOT NULL CHECK (amount = CAST(amount AS BIGINT) AND amount > 0),
        at TIMESTAMPTZ NOT NULL,
        PRIMARY KEY (record_id, bucket_id),
        FOREIGN KEY (customer_id, bucket_id) REFERENCES bucket (customer_id, id)
    )
    """,
    """
    CREATE TABLE usage_meter (
        service_id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        revision BIGINT NOT NULL CHECK (revision = CAST(revision AS BIGINT) AND revision >= 1),
        changed_at TIMESTAMPTZ NOT NULL,
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE INDEX usage_meter_by_customer ON usage_meter (customer_id, service_id, revision)",
    "CREATE INDEX usage_record_by_customer ON usage_record (customer_id, started_at, id)",
)

BACKWARDS = (
    "DROP INDEX usage_record_by_customer",
    "DROP TABLE usage_meter",
    "DROP TABLE consumption",
    "DROP INDEX bucket_shared",
    "ALTER TABLE bucket DROP COLUMN period_started_at",
    "ALTER TABLE bucket DROP COLUMN forfeited",
    "ALTER TABLE bucket DROP COLUMN consumed_before",
    "ALTER TABLE bucket DROP COLUMN consumed",
    "ALTER TABLE bucket DROP COLUMN granted",
)
