"""What happened, and where each chain of it ends."""

from __future__ import annotations

from piccolo.columns import UUID, BigInt, Text, Timestamptz, Varchar
from piccolo.table import Table


class AuditEvent(Table, tablename="audit_event"):
    id = UUID(primary_key=True, default=None)
    chain = Varchar(36)
    number = BigInt(default=None)
    at = Timestamptz(default=None)
    actor_user_id = UUID(null=True, default=None)
    user_id = UUID(null=True, default=None)
    grant_id = UUID(null=True, default=None)
    customer_id = UUID(null=True, default=None)
    event = Varchar(60)
    about = Varchar(64, null=True, default=None)
    outcome = Varchar(8)
    address = Varchar(64)
    country = Varchar(2, null=True, default=None)
    device = Varchar(200)
    request_id = Varchar(64)
    # The canonical JSON, letter by letter as it was hashed.
    details = Text()
    hash = Varchar(64)


class AuditHead(Table, tablename="audit_head"):
    """The last number and hash of a chain; whoever writes the next holds this row until the commit."""

    chain = Varchar(36, primary_key=True, default=None)
    number = BigInt(default=None)
    hash = Varchar(64)
    anchored = BigInt(default=None)


class AuditBreak(Table, tablename="audit_break"):
    """Where the log was found changed; `reason` is what somebody says it was."""

    id = UUID(primary_key=True, default=None)
    chain = Varchar(36)
    number = BigInt(default=None)
    what = Varchar(12)
    found_at = Timestamptz(default=None)
    seen_by = UUID(null=True, default=None)
    seen_at = Timestamptz(null=True, default=None)
    reason = Varchar(200, null=True, default=None)
