"""What is remembered about usage besides the usage itself."""

from __future__ import annotations

from piccolo.columns import UUID, Timestamptz, Varchar
from piccolo.table import Table


class Low(Table, tablename="usage_low"):
    """One row per line and kind. `armed_at` is when something was last put in before it ran low."""

    service_id = UUID(primary_key=True, default=None)
    kind = Varchar(8, primary_key=True)
    customer_id = UUID(default=None)
    level = Varchar(8)
    armed_at = Timestamptz(default=None)
    told_at = Timestamptz(default=None)
