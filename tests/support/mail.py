"""The mails that went out, read as their receiver reads them."""

from __future__ import annotations

import re

from selfcare.adapters.outbox_tables import OutboxMail
from selfcare.app import Application
from tests.support.browser import BASE


async def mails_to(app: Application, address: str) -> list[OutboxMail]:
    """Everything sent to an address so far, the oldest first; lets the background work run before it looks."""
    await app.catch_up()
    return await OutboxMail.objects().where(OutboxMail.mail_to == address).order_by(OutboxMail.at, OutboxMail.id)


async def link_in(app: Application, address: str, subject_part: str) -> str:
    """The path of the link in the newest mail whose subject has these words."""
    found = [mail for mail in await mails_to(app, address) if subject_part.lower() in mail.subject.lower()]
    assert found, [mail.subject for mail in await mails_to(app, address)]
    links = re.findall(re.escape(BASE) + r"(/\S*token=[\w-]+)", found[-1].text)
    assert len(links) == 1, found[-1].text
    return str(links[0])
