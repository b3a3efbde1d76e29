"""What was imported: which row an operator's id became, and how its cells looked, so that only changes are applied.

`marks` holds four bytes per column in hex (CRC-32), not the cells: no second copy of anybody's data.
"""

ID = "0015"
DESCRIPTION = "imported rows"

FORWARDS = (
    """
    CREATE TABLE imported (
        file VARCHAR(16) NOT NULL CHECK (length(file) BETWEEN 1 AND 16),
        external_id VARCHAR(80) NOT NULL CHECK (length(external_id) BETWEEN 1 AND 80),
        row_id UUID NOT NULL,
        customer_id UUID,
        marks TEXT NOT NULL,
        PRIMARY KEY (file, external_id)
    )
    """,
)

BACKWARDS = ("DROP TABLE imported",)
