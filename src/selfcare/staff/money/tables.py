"""What a second member of staff has to agree to."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Timestamptz, Varchar
from piccolo.table import Table


class StaffApproval(Table, tablename="staff_approval"):
    """`about` is the payment of a refund. Whoever asked cannot decide."""

    id = UUID(primary_key=True, default=None)
    kind = Varchar(16)
    customer_id = UUID(default=None)
    about = UUID(null=True, default=None)
    amount_minor = BigInt(default=None)
    currency = Varchar(3)
    source = Varchar(16, null=True, default=None)
    reason = Varchar(200)
    asked_by = UUID(default=None)
    asked_at = Timestamptz(default=None)
    decided_by = UUID(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)
    decision = Varchar(4, null=True, default=None)
