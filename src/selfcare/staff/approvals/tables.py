"""What a second member of staff has to agree to."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Timestamptz, Varchar
from piccolo.table import Table


class StaffApproval(Table, tablename="staff_approval"):
    """`about` is the payment of a refund, the service of a transfer, the person of a visit. Whoever asked cannot
    decide. `request_id` is the request of the customer that led here."""

    id = UUID(primary_key=True, default=None)
    kind = Varchar(16)
    customer_id = UUID(default=None)
    about = UUID(null=True, default=None)
    amount_minor = BigInt(null=True, default=None)
    currency = Varchar(3, null=True, default=None)
    source = Varchar(16, null=True, default=None)
    reason = Varchar(200)
    asked_by = UUID(default=None)
    asked_at = Timestamptz(default=None)
    decided_by = UUID(null=True, default=None)
    decided_at = Timestamptz(null=True, default=None)
    decision = Varchar(4, null=True, default=None)
    to_customer_id = UUID(null=True, default=None)
    request_id = UUID(null=True, default=None)
