"""The audit log: rows that nobody can change or remove, and the heads of their chains."""

ID = "0003"
DESCRIPTION = "audit log"

SQLITE = (
    """
    CREATE TRIGGER audit_event_keep_update BEFORE UPDATE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_event_keep_delete BEFORE DELETE ON audit_event
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    # INSERT OR REPLACE deletes without asking the delete trigger where recursive_triggers is off.
    """
    CREATE TRIGGER audit_event_keep_replace BEFORE INSERT ON audit_event
    WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id OR (chain = NEW.chain AND number = NEW.number))
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_head_keep_update BEFORE UPDATE ON audit_head
    WHEN NEW.chain <> OLD.chain OR NEW.number NOT IN (OLD.number, OLD.number + 1) OR NEW.anchored < OLD.anchored
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_head_keep_delete BEFORE DELETE ON audit_head
    BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
    """,
    """
    CREATE TRIGGER audit_head_keep_replace BEFORE INSERT ON audit_head
    WHEN EXISTS (SELECT 1 FROM audit_head WHERE chain = NEW.chain)
    BEGIN SELECT RAISE(IGNORE); END
    """,
)

POSTGRES = (
    """
    CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$
    """,
    """
    CREATE TRIGGER audit_event_keep BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_keep()
    """,
    """
    CREATE TRIGGER audit_event_keep_all BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keep()
    """,
    """
    CREATE TRIGGER audit_head_keep_update BEFORE UPDATE ON audit_head FOR EACH ROW
    WHEN (NEW.chain <> OLD.chain OR NEW.number NOT IN (OLD.number, OLD.number + 1) OR NEW.anchored < OLD.anchored)
    EXECUTE FUNCTION audit_keep()
    """,
    """
    CREATE TRIGGER audit_head_keep_delete BEFORE DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_keep()
    """,
    """
    CREATE TRIGGER audit_head_keep_all BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keep()
    """,
)

FORWARDS = (
    """
    CREATE TABLE audit_event (
        id UUID PRIMARY KEY,
        chain VARCHAR(36) NOT NULL CHECK (length(chain) BETWEEN 1 AND 36),
        number BIGINT NOT NULL CHECK (number = CAST(number AS BIGINT) AND number >= 1),
        at TIMESTAMPTZ NOT NULL,
        actor_user_id UUID,
        user_id UUID,
        grant_id UUID,
        customer_id UUID,
        event VARCHAR(60) NOT NULL CHECK (length(event) <= 60),
        about VARCHAR(64) CHECK (length(about) <= 64),
        outcome VARCHAR(8) NOT NULL CHECK (outcome IN ('ok', 'refused', 'failed')),
        address VARCHAR(64) NOT NULL CHECK (length(address) <= 64),
        country VARCHAR(2) CHECK (length(country) = 2),
        device VARCHAR(200) NOT NULL CHECK (length(device) <= 200),
        request_id VARCHAR(64) NOT NULL CHECK (length(request_id) <= 64),
        details TEXT NOT NULL CHECK (length(details) <= 4000),
        hash VARCHAR(64) NOT NULL CHECK (length(hash) = 64),
        UNIQUE (chain, number)
    )
    """,
    "CREATE INDEX audit_event_by_customer ON audit_event (customer_id, at, id) WHERE customer_id IS NOT NULL",
    "CREATE INDEX audit_event_by_user ON audit_event (user_id, at, id) WHERE customer_id IS NULL",
    "CREATE INDEX audit_event_by_time ON audit_event (at, id)",
    """
    CREATE TABLE audit_head (
        chain VARCHAR(36) PRIMARY KEY CHECK (length(chain) BETWEEN 1 AND 36),
        number BIGINT NOT NULL CHECK (number = CAST(number AS BIGINT) AND number >= 0),
        hash VARCHAR(64) NOT NULL CHECK (length(hash) <= 64),
        anchored BIGINT NOT NULL CHECK (anchored = CAST(anchored AS BIGINT) AND anchored >= 0)
    )
    """,
    {"sqlite": SQLITE, "postgres": POSTGRES},
)

BACKWARDS = (
    "DROP TABLE audit_event",
    "DROP TABLE audit_head",
    {"postgres": ("DROP FUNCTION audit_keep()",)},
)
