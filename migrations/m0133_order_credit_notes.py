"""Credit notes of orders whose money went back."""

ID = "0133"
DESCRIPTION = "credit notes of orders"

FORWARDS = (
    """
    CREATE TABLE order_credit_note (
        id UUID PRIMARY KEY,
        customer_id UUID NOT NULL REFERENCES customer (id),
        order_id UUID NOT NULL UNIQUE REFERENCES purchase_order (id),
        number VARCHAR(32) NOT NULL UNIQUE CHECK (length(number) BETWEEN 1 AND 32),
        date DATE NOT NULL,
        currency VARCHAR(3) NOT NULL CHECK (length(currency) = 3),
        net_minor BIGINT NOT NULL CHECK (net_minor = CAST(net_minor AS BIGINT) AND net_minor >= 0),
        tax_minor BIGINT NOT NULL CHECK (tax_minor = CAST(tax_minor AS BIGINT) AND tax_minor >= 0),
        card_minor BIGINT NOT NULL CHECK (card_minor = CAST(card_minor AS BIGINT) AND card_minor >= 0),
        credit_minor BIGINT NOT NULL CHECK (credit_minor = CAST(credit_minor AS BIGINT) AND credit_minor >= 0),
        of_stranger BOOLEAN NOT NULL,
        created_at TIMESTAMPTZ NOT NULL,
        CHECK (net_minor + tax_minor = card_minor + credit_minor)
    )
    """,
    "CREATE INDEX order_credit_note_by_date ON order_credit_note (customer_id, date, number)",
)

BACKWARDS = ("DROP TABLE order_credit_note",)
