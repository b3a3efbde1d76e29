"""Vouchers, of which we keep no code."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Text, Timestamptz, Varchar
from piccolo.table import Table


class VoucherBatch(Table, tablename="voucher_batch"):
    """Worth either `amount_minor` of credit, or the `grants` (JSON, as of a product) on a service of `service_type`."""

    id = UUID(primary_key=True, default=None)
    name = Varchar(100)
    worth = Varchar(100)
    product_id = UUID(null=True, default=None)
    service_type = Varchar(16, null=True, default=None)
    grants = Text(null=True, default=None)
    amount_minor = BigInt(null=True, default=None)
    currency = Varchar(3)
    usable_until = Timestamptz(null=True, default=None)
    made_at = Timestamptz(default=None)


class Voucher(Table, tablename="voucher"):
    """`order_id` where it put an allowance in; one whose order failed may be used again."""

    id = UUID(primary_key=True, default=None)
    batch_id = UUID(default=None)
    code_hash = Varchar(64, unique=True, secret=True)
    used_at = Timestamptz(null=True, default=None)
    customer_id = UUID(null=True, default=None)
    used_by = UUID(null=True, default=None)
    order_id = UUID(null=True, default=None)
    request_key = Varchar(64, null=True, default=None, unique=True)
