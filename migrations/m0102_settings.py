"""What staff change while we run. A change is a row, and rows stay."""

ID = "0102"
DESCRIPTION = "settings that staff change"

SQLITE = (
    """
    CREATE TRIGGER setting_change_keep_update BEFORE UPDATE ON setting_change
    BEGIN SELECT RAISE(ABORT, 'the history of settings is append-only'); END
    """,
    """
    CREATE TRIGGER setting_change_keep_delete BEFORE DELETE ON setting_change
    BEGIN SELECT RAISE(ABORT, 'the history of settings is append-only'); END
    """,
)

POSTGRES = (
    """
    CREATE FUNCTION setting_change_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the history of settings is append-only'; END $$
    """,
    """
    CREATE TRIGGER setting_change_keep BEFORE UPDATE OR DELETE ON setting_change
    FOR EACH ROW EXECUTE FUNCTION setting_change_keep()
    """,
    """
    CREATE TRIGGER setting_change_keep_all BEFORE TRUNCATE ON setting_change
    FOR EACH STATEMENT EXECUTE FUNCTION setting_change_keep()
    """,
)

FORWARDS = (
    """
    CREATE TABLE setting_change (
        revision BIGINT PRIMARY KEY CHECK (revision = CAST(revision AS BIGINT) AND revision >= 1),
        id UUID NOT NULL,
        name VARCHAR(60) NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
        value VARCHAR(2000) CHECK (length(value) <= 2000),
        was VARCHAR(2000) CHECK (length(was) <= 2000),
        changed_by UUID NOT NULL,
        changed_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX setting_change_of_name ON setting_change (name, revision)",
    {"sqlite": SQLITE, "postgres": POSTGRES},
)

BACKWARDS = (
    "DROP TABLE setting_change",
    {"postgres": ("DROP FUNCTION setting_change_keep()",)},
)
