"""SIM cards and eSIM profiles with the codes that belong to them, sealed."""

ID = "0072"
DESCRIPTION = "SIM cards and eSIM profiles"

FORWARDS = (
    """
    CREATE TABLE sim (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL,
        service_id UUID NOT NULL,
        kind VARCHAR(8) NOT NULL CHECK (kind IN ('physical', 'esim')),
        iccid VARCHAR(22) NOT NULL UNIQUE CHECK (length(iccid) BETWEEN 18 AND 22),
        eid VARCHAR(32),
        pin1 VARCHAR(300),
        puk1 VARCHAR(300),
        pin2 VARCHAR(300),
        puk2 VARCHAR(300),
        activation_code VARCHAR(600),
        confirmation_code_required BOOLEAN NOT NULL,
        state VARCHAR(12) NOT NULL
            CHECK (state IN ('released', 'downloaded', 'installed', 'enabled', 'disabled', 'deleted', 'blocked')),
        state_at TIMESTAMPTZ NOT NULL,
        replaced_at TIMESTAMPTZ,
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE,
        UNIQUE (customer_id, id),
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id)
    )
    """,
    "CREATE UNIQUE INDEX sim_in_use ON sim (customer_id, service_id) WHERE replaced_at IS NULL",
)

BACKWARDS = (
    "DROP INDEX sim_in_use",
    "DROP TABLE sim",
)
