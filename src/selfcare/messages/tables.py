"""Messages that wait, went out or did not; and addresses where nobody lives."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Text, Timestamptz, Varchar
from piccolo.table import Table


class Notification(Table, tablename="notification"):
    id = UUID(primary_key=True, default=None)
    event = Varchar(60)
    category = Varchar(16)
    channel = Varchar(16)
    user_id = UUID(null=True, default=None)
    customer_id = UUID(null=True, default=None)
    # Only of a message that goes to an address and not to whoever the user is when it is sent.
    address = Varchar(254, null=True, default=None)
    about = Varchar(64, null=True, default=None)
    dedupe_key = Varchar(200, unique=True)
    state = Varchar(8)
    details = JSONB(default=None)
    # Links that open something, until they are in the mail.
    sealed = Text(null=True, default=None)
    subject = Varchar(200, null=True, default=None)
    body = Text(null=True, default=None)
    tries = BigInt(default=None)
    last_error = Varchar(500, null=True, default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    sent_at = Timestamptz(null=True, default=None)


class RefusedAddress(Table, tablename="refused_address"):
    """Flagged because the mail server there said so. In lower case."""

    address = Varchar(254, primary_key=True, default=None)
    code = BigInt(default=None)
    at = Timestamptz(default=None)
