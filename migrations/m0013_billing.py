"""Bills and their lines."""

ID = "0013"
DESCRIPTION = "invoices and transactions"

FORWARDS = (
    """
    CREATE TABLE invoice (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        number VARCHAR(32) NOT NULL UNIQUE CHECK (length(number) BETWEEN 1 AND 32),
        kind VARCHAR(16) NOT NULL CHECK (kind IN ('regular', 'proforma', 'credit_note')),
        date DATE NOT NULL,
        due_on DATE NOT NULL,
        period_start DATE,
        period_end DATE,
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        net_minor BIGINT NOT NULL CHECK (net_minor = CAST(net_minor AS BIGINT)),
        tax_minor BIGINT NOT NULL CHECK (tax_minor = CAST(tax_minor AS BIGINT)),
        paid_minor BIGINT NOT NULL CHECK (paid_minor = CAST(paid_minor AS BIGINT)),
        state VARCHAR(8) NOT NULL CHECK (state IN ('draft', 'issued', 'settled', 'void')),
        corrects_id UUID,
        pdf_hash VARCHAR(64) CHECK (length(pdf_hash) = 64),
        purchase_ref VARCHAR(60) CHECK (length(purchase_ref) <= 60),
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80),
        UNIQUE (customer_id, id),
        FOREIGN KEY (customer_id, corrects_id) REFERENCES invoice (customer_id, id),
        CHECK (kind <> 'regular' OR net_minor + tax_minor >= 0),
        CHECK (kind <> 'credit_note' OR net_minor + tax_minor <= 0)
    )
    """,
    "CREATE INDEX invoice_by_date ON invoice (customer_id, date, number)",
    """
    CREATE INDEX invoice_open ON invoice (customer_id, due_on, net_minor, tax_minor, paid_minor)
        WHERE state = 'issued'
    """,
    """
    CREATE TABLE billing_transaction (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        at TIMESTAMPTZ NOT NULL,
        kind VARCHAR(16) NOT NULL CHECK (kind IN ('charge', 'credit', 'payment', 'refund', 'adjustment', 'tax')),
        description VARCHAR(200) NOT NULL CHECK (length(description) BETWEEN 1 AND 200),
        quantity BIGINT NOT NULL CHECK (quantity = CAST(quantity AS BIGINT) AND quantity >= 1),
        unit_price_minor BIGINT CHECK (unit_price_minor = CAST(unit_price_minor AS BIGINT)),
        amount_minor BIGINT NOT NULL CHECK (amount_minor = CAST(amount_minor AS BIGINT)),
        tax_permille BIGINT NOT NULL
            CHECK (tax_permille = CAST(tax_permille AS BIGINT) AND tax_permille BETWEEN 0 AND 1000),
        tax_minor BIGINT NOT NULL CHECK (tax_minor = CAST(tax_minor AS BIGINT)),
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        invoice_id UUID,
        service_id UUID,
        order_id UUID,
        payment_id UUID,
        period_start DATE,
        period_end DATE,
        voided_at TIMESTAMPTZ,
        wholesale_minor BIGINT CHECK (wholesale_minor = CAST(wholesale_minor AS BIGINT)),
        created_at TIMESTAMPTZ NOT NULL,
        external_id VARCHAR(80) UNIQUE CHECK (length(external_id) <= 80),
        UNIQUE (customer_id, id),
        FOREIGN KEY (customer_id, invoice_id) REFERENCES invoice (customer_id, id),
        FOREIGN KEY (customer_id, service_id) REFERENCES service (customer_id, id),
        CHECK (kind NOT IN ('credit', 'payment') OR amount_minor <= 0),
        CHECK (kind <> 'charge' OR amount_minor >= 0)
    )
    """,
    "CREATE INDEX billing_transaction_by_time ON billing_transaction (customer_id, at, id)",
    """
    CREATE INDEX billing_transaction_by_invoice ON billing_transaction (customer_id, invoice_id)
        WHERE invoice_id IS NOT NULL
    """,
)

BACKWARDS = (
    "DROP TABLE billing_transaction",
    "DROP TABLE invoice",
)
