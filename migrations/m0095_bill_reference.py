"""A customer's own reference for bills that carry none of their own."""

ID = "0095"
DESCRIPTION = "own references on bills"

FORWARDS = (
    """
    CREATE TABLE bill_reference (
        customer_id UUID PRIMARY KEY REFERENCES customer (id),
        words VARCHAR(60) NOT NULL CHECK (length(words) <= 60),
        set_at TIMESTAMPTZ NOT NULL
    )
    """,
)

BACKWARDS = ("DROP TABLE bill_reference",)
