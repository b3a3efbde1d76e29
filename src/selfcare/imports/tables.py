"""Which row an operator's id became, and how its cells looked when they were last imported."""

from __future__ import annotations

from piccolo.columns import UUID, Text, Varchar
from piccolo.table import Table


class Imported(Table, tablename="imported"):
    """The key is (`file`, `external_id`), which Piccolo cannot say; `file` stands for it here."""

    file = Varchar(16, primary_key=True, default=None)
    external_id = Varchar(80)
    row_id = UUID(default=None)
    customer_id = UUID(null=True, default=None)
    marks = Text()
