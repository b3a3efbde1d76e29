"""Every version of a product that was ever published, as it was."""

ID = "0103"
DESCRIPTION = "versions of products"

SQLITE = (
    """
    CREATE TRIGGER product_version_keep_update BEFORE UPDATE ON product_version
    BEGIN SELECT RAISE(ABORT, 'a published version stays'); END
    """,
    """
    CREATE TRIGGER product_version_keep_delete BEFORE DELETE ON product_version
    BEGIN SELECT RAISE(ABORT, 'a published version stays'); END
    """,
)

POSTGRES = (
    """
    CREATE FUNCTION product_version_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'a published version stays'; END $$
    """,
    """
    CREATE TRIGGER product_version_keep BEFORE UPDATE OR DELETE ON product_version
    FOR EACH ROW EXECUTE FUNCTION product_version_keep()
    """,
    """
    CREATE TRIGGER product_version_keep_all BEFORE TRUNCATE ON product_version
    FOR EACH STATEMENT EXECUTE FUNCTION product_version_keep()
    """,
)

FORWARDS = (
    """
    CREATE TABLE product_version (
        product_id UUID NOT NULL REFERENCES product (id),
        version BIGINT NOT NULL CHECK (version = CAST(version AS BIGINT) AND version >= 1),
        content JSONB NOT NULL,
        published_at TIMESTAMPTZ NOT NULL,
        published_by UUID,
        PRIMARY KEY (product_id, version)
    )
    """,
    {"sqlite": SQLITE, "postgres": POSTGRES},
)

BACKWARDS = (
    "DROP TABLE product_version",
    {"postgres": ("DROP FUNCTION product_version_keep()",)},
)
