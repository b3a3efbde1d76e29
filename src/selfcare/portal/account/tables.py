"""People and places of a customer. Both are read-only for customers."""

from __future__ import annotations

from piccolo.columns import JSONB, UUID, BigInt, Boolean, Text, Timestamptz, Varchar
from piccolo.table import Table


class Contact(Table, tablename="contact"):
    """`types` is a JSON list of billing, technical, general, emergency. Without `user_id` nobody can sign in as it."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    name = Varchar(160)
    types = JSONB(default="[]")
    email = Varchar(254, null=True, default=None)
    phone = Varchar(20, null=True, default=None)
    user_id = UUID(null=True, default=None)
    is_primary = Boolean(default=False)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)


class Site(Table, tablename="site"):
    """`geo` is "latitude,longitude" in degrees, or nothing."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    label = Varchar(100)
    address_line_1 = Varchar(160)
    address_line_2 = Varchar(160)
    city = Varchar(100)
    state = Varchar(100)
    zip_code = Varchar(20)
    country = Varchar(2)
    geo = Varchar(40, null=True, default=None)
    created_at = Timestamptz(default=None)
    external_id = Varchar(80, null=True, default=None, unique=True)


class Invitation(Table, tablename="invitation"):
    """`token_hash` is the SHA-256 of the link's token. Open while neither accepted, withdrawn nor expired."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    email = Varchar(254)
    role = Varchar(16)
    service_ids = JSONB(null=True, default=None)
    token_hash = Varchar(64, unique=True)
    invited_by = UUID(default=None)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    accepted_at = Timestamptz(null=True, default=None)
    accepted_by = UUID(null=True, default=None)
    withdrawn_at = Timestamptz(null=True, default=None)


class CustomerRequest(Table, tablename="request"):
    """What the portal may ask but not do. `about_words` names the thing as it was called when it was chosen."""

    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    user_id = UUID(default=None)
    reference = Varchar(16, unique=True)
    kind = Varchar(20)
    state = Varchar(20)
    text = Varchar(2000)
    about = UUID(null=True, default=None)
    about_words = Varchar(200)
    refund_id = UUID(null=True, default=None)
    credit_note_id = UUID(null=True, default=None)
    request_key = Varchar(64, unique=True)
    created_at = Timestamptz(default=None)
    changed_at = Timestamptz(default=None)


class Reply(Table, tablename="request_reply"):
    id = UUID(primary_key=True, default=None)
    customer_id = UUID(default=None)
    request_id = UUID(default=None)
    user_id = UUID(default=None)
    by_staff = Boolean()
    text = Varchar(2000)
    created_at = Timestamptz(default=None)


class Export(Table, tablename="export"):
    """A copy of what is held of a person, as a ZIP file. Gone after `expires_at`."""

    id = UUID(primary_key=True, default=None)
    user_id = UUID(default=None)
    customer_id = UUID(default=None)
    state = Varchar(8)
    size_bytes = BigInt(null=True, default=None)
    asked_at = Timestamptz(default=None)
    ready_at = Timestamptz(null=True, default=None)
    expires_at = Timestamptz(default=None)


class ExportPart(Table, tablename="export_part"):
    """A piece of the file, in base64."""

    id = UUID(primary_key=True, default=None)
    export_id = UUID(default=None)
    position = BigInt(default=None)
    body = Text()


class Erasure(Table, tablename="erasure"):
    """Asked from within `customer_id`; it is about the person, not about the customer."""

    id = UUID(primary_key=True, default=None)
    user_id = UUID(default=None)
    customer_id = UUID(default=None)
    state = Varchar(10)
    asked_at = Timestamptz(default=None)
    due_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
