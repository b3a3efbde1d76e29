"""Who belongs to a customer, and where its services are delivered."""

ID = "0010"
DESCRIPTION = "contacts and sites"

FORWARDS = (
    """
    CREATE TABLE contact (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        name VARCHAR(160) NOT NULL CHECK (length(name) BETWEEN 1 AND 160),
        types JSONB NOT NULL,
        email VARCHAR(254) CHECK (length(email) <= 254),
        phone VARCHAR(20) CHECK (length(phone) <= 20),
        user_id UUID REFERENCES app_user (id),
        is_primary BOOLEAN NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80),
        UNIQUE (customer_id, id)
    )
    """,
    "CREATE UNIQUE INDEX contact_primary ON contact (customer_id) WHERE is_primary",
    "CREATE INDEX contact_by_user ON contact (user_id) WHERE user_id IS NOT NULL",
    """
    CREATE TABLE site (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        label VARCHAR(100) NOT NULL CHECK (length(label) BETWEEN 1 AND 100),
        address_line_1 VARCHAR(160) NOT NULL CHECK (length(address_line_1) <= 160),
        address_line_2 VARCHAR(160) NOT NULL CHECK (length(address_line_2) <= 160),
        city VARCHAR(100) NOT NULL CHECK (length(city) <= 100),
        state VARCHAR(100) NOT NULL CHECK (length(state) <= 100),
        zip_code VARCHAR(20) NOT NULL CHECK (length(zip_code) <= 20),
        country VARCHAR(2) NOT NULL CHECK (length(country) = 2),
        geo VARCHAR(40) CHECK (length(geo) <= 40),
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80),
        UNIQUE (customer_id, id)
    )
    """,
)

BACKWARDS = (
    "DROP TABLE site",
    "DROP TABLE contact",
)
