"""What was imported: which row an operator's id became, and how its cells looked, so that only changes are applied.

`marks` holds four bytes per column in hex (CRC-32), not the cells: no second copy of anybody's data.
"""

ID = "0015"
DESCRIPTION = "imported rows"

FORWARDS = (
    """
    CREATE TABLE imported (
        name VARCHAR(100) PRIMARY KEY CHECK (length(name) BETWEEN 3 AND 100),
        row_id UUID NOT NULL,
        customer_id UUID,
        marks TEXT NOT NULL
    )
    """,
)

BACKWARDS = ("DROP TABLE imported",)
