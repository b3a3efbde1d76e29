"""Where the next number of each kind is kept."""

ID = "0002"
DESCRIPTION = "counters"

FORWARDS = (
    """
    CREATE TABLE counter (
        name VARCHAR(60) PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60),
        value BIGINT NOT NULL CHECK (value = CAST(value AS BIGINT) AND value >= 0)
    )
    """,
)

BACKWARDS = ("DROP TABLE counter",)
