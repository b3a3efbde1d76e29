"""What was agreed for a service, and each charge it led to."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Timestamptz, Varchar
from piccolo.table import Table


class AutoTopup(Table, tablename="auto_topup"):
    """At most one per service has no `ended_at`. `most_minor` in a calendar month.

    `revision` changes with every charge: whoever read the balance before it does not charge again. `failures` in a row;
    no try before `next_at`; `held_at` while the bank wants to be asked by a person. `told_month` that its limit is
    reached.
    """

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    currency = Varchar(3)
    threshold_minor = BigInt()
    amount_minor = BigInt()
    most_minor = BigInt()
    pause_hours = BigInt()
    words = Varchar(1000)
    words_version = BigInt()
    given_by = UUID(default=None)
    given_at = Timestamptz(default=None)
    address = Varchar(64)
    device = Varchar(200)
    revision = BigInt(default=0)
    failures = BigInt(default=0)
    next_at = Timestamptz(default=None)
    held_at = Timestamptz(null=True, default=None)
    told_month = Varchar(7, null=True, default=None)
    looked_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
    ended_by = UUID(null=True, default=None)
    ended_why = Varchar(12, null=True, default=None)


class AutoTopupCharge(Table, tablename="auto_topup_charge"):
    """One open per service. `month` is that of the customer's calendar, such as 2026-11."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    rule_id = UUID(default=None)
    service_id = UUID(default=None)
    order_id = UUID(default=None, unique=True)
    amount_minor = BigInt()
    currency = Varchar(3)
    month = Varchar(7)
    state = Varchar(8)
    why = Varchar(20, null=True, default=None)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
