"""Who stands at the door without a sign-in."""

from __future__ import annotations

from piccolo.columns import UUID, Timestamptz, Varchar
from piccolo.table import Table


class QuickVisit(Table, tablename="quick_visit"):
    """One for every number that was typed, ours or not: without a `service_id` no code is right. One purchase each."""

    id = UUID(primary_key=True, default=None)
    number = Varchar(16)
    customer_id = UUID(null=True, default=None)
    service_id = UUID(null=True, default=None)
    order_id = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    proved_at = Timestamptz(null=True, default=None)
