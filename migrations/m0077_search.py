"""What support finds customers by: the beginnings of names and addresses, kept by triggers beside what they name."""

ID = "0077"
DESCRIPTION = "search for customers"

# The whole text, and what is left of it after each space, in small letters. A tab and the id make the key unique.
PLACES = ", ".join(f"({place})" for place in range(160))
SQLITE_KEYS = f"""
    INSERT OR IGNORE INTO search_word (key, customer_id, about)
    SELECT substr(lower(NEW.name), place.column1 + 1) || char(9) || NEW.id, {{customer}}, NEW.id
      FROM (VALUES {PLACES}) AS place
     WHERE place.column1 < length(NEW.name)
       AND (place.column1 = 0 OR substr(NEW.name, place.column1, 1) = ' ');
"""
SQLITE_EMAIL = """
    INSERT OR IGNORE INTO search_word (key, customer_id, about)
    SELECT lower(NEW.email) || char(9) || NEW.id, NEW.customer_id, NEW.id WHERE NEW.email IS NOT NULL;
"""
OF_CUSTOMER = SQLITE_KEYS.format(customer="NEW.id")
OF_CONTACT = SQLITE_KEYS.format(customer="NEW.customer_id") + SQLITE_EMAIL
FORGET = "DELETE FROM search_word WHERE about = OLD.id;"

SQLITE = (
    """
    CREATE TABLE search_word (
        key VARCHAR(300) PRIMARY KEY NOT NULL CHECK (length(key) <= 300),
        customer_id UUID NOT NULL,
        about UUID NOT NULL
    )
    """,
    f"CREATE TRIGGER customer_search_add AFTER INSERT ON customer BEGIN {OF_CUSTOMER} END",
    f"CREATE TRIGGER customer_search_change AFTER UPDATE OF name ON customer BEGIN {FORGET} {OF_CUSTOMER} END",
    f"CREATE TRIGGER customer_search_remove AFTER DELETE ON customer BEGIN {FORGET} END",
    f"CREATE TRIGGER contact_search_add AFTER INSERT ON contact BEGIN {OF_CONTACT} END",
    f"CREATE TRIGGER contact_search_change AFTER UPDATE OF name, email ON contact BEGIN {FORGET} {OF_CONTACT} END",
    f"CREATE TRIGGER contact_search_remove AFTER DELETE ON contact BEGIN {FORGET} END",
    "UPDATE customer SET name = name",
    "UPDATE contact SET name = name",
)

POSTGRES = (
    # In the order of bytes, so that a beginning is a range.
    """
    CREATE TABLE search_word (
        key VARCHAR(300) COLLATE "C" PRIMARY KEY,
        customer_id UUID NOT NULL,
        about UUID NOT NULL
    )
    """,
    """
    CREATE FUNCTION search_keep(named text, mailed text, whose uuid, what uuid) RETURNS void LANGUAGE sql AS $$
        DELETE FROM search_word WHERE about = what;
        INSERT INTO search_word (key, customer_id, about)
        SELECT substr(lower(named), place) || chr(9) || what, whose, what
          FROM generate_series(1, length(named)) AS place
         WHERE place = 1 OR substr(named, place - 1, 1) = ' '
         UNION SELECT lower(mailed) || chr(9) || what, whose, what WHERE mailed IS NOT NULL
    $$
    """,
    """
    CREATE FUNCTION search_keep_customer() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM search_keep(NEW.name, NULL, NEW.id, NEW.id); RETURN NULL; END $$
    """,
    """
    CREATE FUNCTION search_keep_contact() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM search_keep(NEW.name, NEW.email, NEW.customer_id, NEW.id); RETURN NULL; END $$
    """,
    """
    CREATE FUNCTION search_forget() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN DELETE FROM search_word WHERE about = OLD.id; RETURN NULL; END $$
    """,
    """
    CREATE TRIGGER customer_search_keep AFTER INSERT OR UPDATE OF name ON customer
    FOR EACH ROW EXECUTE FUNCTION search_keep_customer()
    """,
    """
    CREATE TRIGGER customer_search_forget AFTER DELETE ON customer
    FOR EACH ROW EXECUTE FUNCTION search_forget()
    """,
    """
    CREATE TRIGGER contact_search_keep AFTER INSERT OR UPDATE OF name, email ON contact
    FOR EACH ROW EXECUTE FUNCTION search_keep_contact()
    """,
    """
    CREATE TRIGGER contact_search_forget AFTER DELETE ON contact
    FOR EACH ROW EXECUTE FUNCTION search_forget()
    """,
    "CREATE INDEX search_word_about ON search_word (about)",
    "UPDATE customer SET name = name",
    "UPDATE contact SET name = name",
)

FORWARDS = (
    {"postgres": POSTGRES, "sqlite": (SQLITE[0], "CREATE INDEX search_word_about ON search_word (about)", *SQLITE[1:])},
    "CREATE INDEX contact_by_phone ON contact (phone) WHERE phone IS NOT NULL",
    "CREATE INDEX app_user_by_phone ON app_user (phone) WHERE phone IS NOT NULL",
    """
    CREATE TABLE customer_note (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        author_id UUID NOT NULL REFERENCES app_user (id),
        words VARCHAR(2000) NOT NULL CHECK (length(words) BETWEEN 1 AND 2000),
        created_at TIMESTAMPTZ NOT NULL
    )
    """,
    "CREATE INDEX customer_note_by_customer ON customer_note (customer_id, created_at, id)",
)

BACKWARDS = (
    "DROP TABLE customer_note",
    "DROP INDEX app_user_by_phone",
    "DROP INDEX contact_by_phone",
    {
        "sqlite": (
            "DROP TRIGGER contact_search_remove",
            "DROP TRIGGER contact_search_change",
            "DROP TRIGGER contact_search_add",
            "DROP TRIGGER customer_search_remove",
            "DROP TRIGGER customer_search_change",
            "DROP TRIGGER customer_search_add",
        ),
        "postgres": (
            "DROP TRIGGER contact_search_forget ON contact",
            "DROP TRIGGER contact_search_keep ON contact",
            "DROP TRIGGER customer_search_forget ON customer",
            "DROP TRIGGER customer_search_keep ON customer",
            "DROP FUNCTION search_forget()",
            "DROP FUNCTION search_keep_contact()",
            "DROP FUNCTION search_keep_customer()",
            "DROP FUNCTION search_keep(text, text, uuid, uuid)",
        ),
    },
    "DROP TABLE search_word",
)
