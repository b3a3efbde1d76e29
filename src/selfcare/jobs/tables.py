"""Work that waits, is being done, was done or was given up; and when what recurs is due."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Text, Timestamptz, Varchar
from piccolo.table import Table


class JobRow(Table, tablename="job"):
    id = UUID(primary_key=True, default=None)
    kind = Varchar(60)
    key = Varchar(200, unique=True)
    payload = JSONB(default=None)
    priority = BigInt(default=None)
    # NULL is at once, whatever the clock says.
    run_at = Timestamptz(null=True, default=None)
    attempts = BigInt(default=None)
    locked_by = UUID(null=True, default=None)
    locked_until = Timestamptz(null=True, default=None)
    last_error = Text(null=True, default=None)
    created_at = Timestamptz(default=None)
    done_at = Timestamptz(null=True, default=None)
    given_up_at = Timestamptz(null=True, default=None)


class JobSchedule(Table, tablename="job_schedule"):
    kind = Varchar(60, primary_key=True, default=None)
    next_at = Timestamptz(default=None)
