"""Jobs and their schedule."""

ID = "0004"
DESCRIPTION = "jobs"

FORWARDS = (
    """
    CREATE TABLE job (
        id UUID PRIMARY KEY,
        kind VARCHAR(60) NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
        key VARCHAR(200) NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 200),
        payload JSONB NOT NULL,
        priority BIGINT NOT NULL CHECK (priority = CAST(priority AS BIGINT)),
        run_at TIMESTAMPTZ,
        attempts BIGINT NOT NULL CHECK (attempts = CAST(attempts AS BIGINT) AND attempts >= 0),
        locked_by UUID,
        locked_until TIMESTAMPTZ,
        last_error TEXT CHECK (length(last_error) <= 2000),
        created_at TIMESTAMPTZ NOT NULL,
        done_at TIMESTAMPTZ,
        given_up_at TIMESTAMPTZ,
        CHECK ((locked_by IS NULL) = (locked_until IS NULL)),
        CHECK (done_at IS NULL OR given_up_at IS NULL),
        CHECK (locked_by IS NULL OR (done_at IS NULL AND given_up_at IS NULL))
    )
    """,
    """
    CREATE INDEX job_waiting ON job (priority, id, run_at, locked_until)
        WHERE done_at IS NULL AND given_up_at IS NULL
    """,
    "CREATE INDEX job_waiting_of_kind ON job (kind) WHERE done_at IS NULL AND given_up_at IS NULL",
    "CREATE INDEX job_done ON job (done_at) WHERE done_at IS NOT NULL",
    "CREATE INDEX job_given_up ON job (given_up_at) WHERE given_up_at IS NOT NULL",
    """
    CREATE TABLE job_schedule (
        kind VARCHAR(60) PRIMARY KEY CHECK (length(kind) BETWEEN 1 AND 60),
        next_at TIMESTAMPTZ NOT NULL
    )
    """,
)

BACKWARDS = ("DROP TABLE job_schedule", "DROP TABLE job")
