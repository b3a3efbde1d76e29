"""Mails that were not sent but kept, for whoever tries the portal out."""

from __future__ import annotations

from piccolo.columns import UUID, Text, Timestamptz, Varchar
from piccolo.table import Table


class OutboxMail(Table, tablename="outbox_mail"):
    id = UUID(primary_key=True, default=None)
    mail_to = Varchar(254)
    mail_from = Varchar(400)
    subject = Varchar(998)
    text = Text()
    html = Text()
    source = Text()
    at = Timestamptz(default=None)
