"""The embedded charging system's own tables. Pages read them through `ports/charging.py`.

Amounts are bytes, seconds, counts or minor units, by the bucket's `kind`.
"""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Timestamptz, Varchar
from piccolo.table import Table


class Bucket(Table, tablename="bucket"):
    """`members` is a JSON list of the service ids that share it besides `service_id`, NULL when not shared.

    `granted`, `consumed` and `forfeited` (ended unused by a reset) count from the beginning; `granted` NULL = unknown.
    Since `period_started_at` it gave `consumed` − `consumed_before`. `waits_for` its first use: then `expires_at` is
    the day it ends unused, and becomes `lasts_days` after that use.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    members = JSONB(null=True, default=None)
    kind = Varchar(8)
    label = Varchar(100)
    origin = Varchar(16)
    currency = Varchar(3, null=True, default=None)
    remaining = BigInt(default=0)
    reserved = BigInt(default=0)
    is_unlimited = Boolean(default=False)
    consume_order = BigInt(default=1)
    scope = Varchar(16, default="any")
    starts_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    blocker = Boolean(default=False)
    disabled = Boolean(default=False)
    counts_mms = Boolean(default=False)
    as_of = Timestamptz(default=None)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)
    granted = BigInt(null=True, default=None)
    consumed = BigInt(default=0)
    consumed_before = BigInt(default=0)
    forfeited = BigInt(default=0)
    period_started_at = Timestamptz(null=True, default=None)
    waits_for = Varchar(16, null=True, default=None)
    lasts_days = BigInt(null=True, default=None)


class AllowanceGrant(Table, tablename="allowance_grant"):
    """Append-only: how much was put into a bucket, when and why. `period_end` NULL = until used."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    bucket_id = UUID(default=None)
    amount = BigInt(default=None)
    mode = Varchar(8, default="add")
    period_start = Timestamptz(default=None)
    period_end = Timestamptz(null=True, default=None)
    order_id = UUID(null=True, default=None)
    reason = Varchar(16)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)


class UsageRecord(Table, tablename="usage_record"):
    """One call, session or message as rated. `other_party` is kept in full; who may not see records gets it masked."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    kind = Varchar(8)
    direction = Varchar(4)
    class_ = Varchar(16, db_column_name="class")
    started_at = Timestamptz(default=None)
    seconds = BigInt(default=0)
    bytes = BigInt(default=0)
    count_ = BigInt(default=0, db_column_name="count")
    other_party = Varchar(40, null=True, default=None)
    country = Varchar(2, null=True, default=None)
    cost_minor = BigInt(default=0)
    currency = Varchar(3)
    bucket_id = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, unique=True)


class Consumption(Table, tablename="consumption"):
    """What one record took from one bucket: for every bucket these add up to its `consumed`."""

    record_id = UUID(primary_key=True, default=None)
    bucket_id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    amount = BigInt(default=None)
    at = Timestamptz(default=None)


class Meter(Table, tablename="usage_meter"):
    """One row per metered service: whoever changes its buckets counts `revision` up first, and so waits for others."""

    service_id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    revision = BigInt(default=1)
    changed_at = Timestamptz(default=None)


class ThinLine(Table, tablename="usage_thin"):
    """A line that a count left with little, until somebody has looked at it."""

    service_id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    at = Timestamptz(default=None)


class Snapshot(Table, tablename="charging_snapshot"):
    """When a charging engine elsewhere last told us about a service; what it told is in the service's buckets."""

    service_id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    as_of = Timestamptz(default=None)


class PutRow(Table, tablename="charging_put"):
    """What we ask an engine elsewhere to put in, written down before we ask. `name` is the balance's ID there.

    `back_asked_at`: we asked for it to be taken out again.
    """

    name = Varchar(80, primary_key=True)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    order_id = UUID(default=None)
    kind = Varchar(8)
    label = Varchar(100)
    origin = Varchar(16)
    scope = Varchar(16)
    mode = Varchar(8)
    amount = BigInt(default=None)
    reason = Varchar(16)
    period_start = Timestamptz(default=None)
    period_end = Timestamptz(null=True, default=None)
    back_asked_at = Timestamptz(null=True, default=None)
