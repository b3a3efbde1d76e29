"""Which row an operator's id became, and how its cells looked when they were last imported."""

from __future__ import annotations

from piccolo.columns import UUID, Text, Varchar
from piccolo.table import Table


class Imported(Table, tablename="imported"):
    """`name` is file and id: "customers/C-1"."""

    name = Varchar(100, primary_key=True, default=None)
    row_id = UUID(default=None)
    customer_id = UUID(null=True, default=None)
    marks = Text()
