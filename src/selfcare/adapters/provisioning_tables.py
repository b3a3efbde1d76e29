"""What the built-in network remembers, and what we remember of one over HTTP."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Timestamptz, Varchar
from piccolo.table import Table


class ProvisioningJob(Table, tablename="provisioning_job"):
    """`behaves` was decided when it began; how far it is follows from the clock."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    action = Varchar(16)
    what = Varchar(160)
    behaves = Varchar(8)
    started_at = Timestamptz(default=None)


class ProvisioningSwitch(Table, tablename="provisioning_switch"):
    """How jobs of the demo that begin from now on behave."""

    name = Varchar(8, primary_key=True)
    value = Varchar(8)


class ProvisioningCall(Table, tablename="provisioning_call"):
    """A job given to a network over HTTP. `ended_as` is what it said last, 0 or 2; empty while it may be at it."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    service_id = UUID(default=None)
    action = Varchar(16)
    what = Varchar(160)
    asked_at = Timestamptz(default=None)
    ended_as = BigInt(null=True, default=None)
    ended_at = Timestamptz(null=True, default=None)
