"""The books: accounts, journals and their entries. What is posted stays as it is.

A journal says how many entries it has. The last one is refused unless all of them come to nothing in every currency,
and none comes after it.
"""

ID = "0030"
DESCRIPTION = "double entry ledger"

SQLITE = (
    """
    CREATE TRIGGER ledger_journal_keep_update BEFORE UPDATE ON ledger_journal
    BEGIN SELECT RAISE(ABORT, 'what is posted stays'); END
    """,
    """
    CREATE TRIGGER ledger_journal_keep_delete BEFORE DELETE ON ledger_journal
    BEGIN SELECT RAISE(ABORT, 'what is posted stays'); END
    """,
    # INSERT OR REPLACE deletes without asking the delete trigger where recursive_triggers is off.
    """
    CREATE TRIGGER ledger_journal_keep_replace BEFORE INSERT ON ledger_journal
    WHEN EXISTS (SELECT 1 FROM ledger_journal WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'what is posted stays'); END
    """,
    # By the unique key as well; IGNORE, because the poster asks with ON CONFLICT and looks whether a row came back.
    """
    CREATE TRIGGER ledger_journal_keep_key BEFORE INSERT ON ledger_journal
    WHEN EXISTS (SELECT 1 FROM ledger_journal WHERE key = NEW.key AND id <> NEW.id)
    BEGIN SELECT RAISE(IGNORE); END
    """,
    """
    CREATE TRIGGER ledger_entry_keep_update BEFORE UPDATE ON ledger_entry
    BEGIN SELECT RAISE(ABORT, 'what is posted stays'); END
    """,
    """
    CREATE TRIGGER ledger_entry_keep_delete BEFORE DELETE ON ledger_entry
    BEGIN SELECT RAISE(ABORT, 'what is posted stays'); END
    """,
    """
    CREATE TRIGGER ledger_entry_keep_replace BEFORE INSERT ON ledger_entry
    WHEN EXISTS (SELECT 1 FROM ledger_entry WHERE id = NEW.id OR (journal_id = NEW.journal_id AND line = NEW.line))
    BEGIN SELECT RAISE(ABORT, 'what is posted stays'); END
    """,
    """
    CREATE TRIGGER ledger_entry_within BEFORE INSERT ON ledger_entry
    WHEN NEW.line > (SELECT lines FROM ledger_journal WHERE id = NEW.journal_id)
    BEGIN SELECT RAISE(ABORT, 'this journal is complete'); END
    """,
    """
    CREATE TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry
    WHEN NEW.line = (SELECT lines FROM ledger_journal WHERE id = NEW.journal_id) AND EXISTS (
        SELECT 1 FROM ledger_entry WHERE journal_id = NEW.journal_id GROUP BY currency HAVING SUM(amount_minor) <> 0
    )
    BEGIN SELECT RAISE(ABORT, 'this journal does not balance'); END
    """,
    """
    CREATE TRIGGER ledger_account_keep BEFORE UPDATE ON ledger_account
    WHEN NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.kind <> OLD.kind OR NEW.currency <> OLD.currency
        OR NEW.customer_id IS NOT OLD.customer_id
    BEGIN SELECT RAISE(ABORT, 'an account stays what it is'); END
    """,
    """
    CREATE TRIGGER ledger_account_keep_delete BEFORE DELETE ON ledger_account
    BEGIN SELECT RAISE(ABORT, 'an account stays what it is'); END
    """,
)

POSTGRES = (
    """
    CREATE FUNCTION ledger_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'what is posted stays'; END $$
    """,
    """
    CREATE FUNCTION ledger_within() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.line > (SELECT lines FROM ledger_journal WHERE id = NEW.journal_id) THEN
            RAISE EXCEPTION 'this journal is complete';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION ledger_balance() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.line = (SELECT lines FROM ledger_journal WHERE id = NEW.journal_id) AND EXISTS (
            SELECT 1 FROM ledger_entry WHERE journal_id = NEW.journal_id GROUP BY currency HAVING SUM(amount_minor) <> 0
        ) THEN
            RAISE EXCEPTION 'this journal does not balance';
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER ledger_journal_keep BEFORE UPDATE OR DELETE ON ledger_journal
    FOR EACH ROW EXECUTE FUNCTION ledger_keep()
    """,
    """
    CREATE TRIGGER ledger_journal_keep_all BEFORE TRUNCATE ON ledger_journal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep()
    """,
    """
    CREATE TRIGGER ledger_entry_keep BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_keep()
    """,
    """
    CREATE TRIGGER ledger_entry_keep_all BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_keep()
    """,
    """
    CREATE TRIGGER ledger_entry_within BEFORE INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_within()
    """,
    """
    CREATE TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_balance()
    """,
    """
    CREATE TRIGGER ledger_account_keep BEFORE UPDATE ON ledger_account FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.name <> OLD.name OR NEW.kind <> OLD.kind OR NEW.currency <> OLD.currency
        OR NEW.customer_id IS DISTINCT FROM OLD.customer_id)
    EXECUTE FUNCTION ledger_keep()
    """,
    """
    CREATE TRIGGER ledger_account_keep_delete BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_keep()
    """,
)

FORWARDS = (
    """
    CREATE TABLE ledger_account (
        id UUID PRIMARY KEY,
        name VARCHAR(80) NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 80),
        kind VARCHAR(16) NOT NULL CHECK (kind IN (
            'receivable', 'credit', 'held', 'on_order', 'refunding',
            'gateway', 'sales', 'tax', 'goodwill', 'disputed', 'elsewhere'
        )),
        customer_id UUID REFERENCES customer (id),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        balance_minor BIGINT CHECK (balance_minor = CAST(balance_minor AS BIGINT)),
        created_at TIMESTAMPTZ NOT NULL,
        CHECK ((customer_id IS NULL) = (balance_minor IS NULL)),
        CHECK ((customer_id IS NULL) = (kind NOT IN ('receivable', 'credit', 'held', 'on_order', 'refunding'))),
        CHECK (kind NOT IN ('credit', 'held', 'on_order', 'refunding') OR balance_minor <= 0)
    )
    """,
    "CREATE INDEX ledger_account_by_customer ON ledger_account (customer_id) WHERE customer_id IS NOT NULL",
    """
    CREATE TABLE ledger_journal (
        id UUID PRIMARY KEY,
        key VARCHAR(80) NOT NULL UNIQUE CHECK (length(key) BETWEEN 1 AND 80),
        kind VARCHAR(24) NOT NULL CHECK (length(kind) BETWEEN 1 AND 24),
        customer_id UUID REFERENCES customer (id),
        about UUID,
        lines BIGINT NOT NULL CHECK (lines = CAST(lines AS BIGINT) AND lines BETWEEN 2 AND 1000),
        at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX ledger_journal_about ON ledger_journal (about, kind) WHERE about IS NOT NULL",
    "CREATE INDEX ledger_journal_by_customer ON ledger_journal (customer_id, at) WHERE customer_id IS NOT NULL",
    """
    CREATE TABLE ledger_entry (
        id UUID PRIMARY KEY,
        journal_id UUID NOT NULL REFERENCES ledger_journal (id),
        line BIGINT NOT NULL CHECK (line = CAST(line AS BIGINT) AND line >= 1),
        account_id UUID NOT NULL REFERENCES ledger_account (id),
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT) AND amount_minor <> 0),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        UNIQUE (journal_id, line)
    )
    """,
    "CREATE INDEX ledger_entry_by_account ON ledger_entry (account_id, journal_id, amount_minor)",
    {"sqlite": SQLITE, "postgres": POSTGRES},
)

BACKWARDS = (
    "DROP TABLE ledger_entry",
    "DROP TABLE ledger_journal",
    "DROP TABLE ledger_account",
    {"postgres": ("DROP FUNCTION ledger_keep()", "DROP FUNCTION ledger_within()", "DROP FUNCTION ledger_balance()")},
)
