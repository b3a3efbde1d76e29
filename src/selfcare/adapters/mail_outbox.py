"""Mail that is kept and not sent, links and all: for the demo and for development."""

from __future__ import annotations

from datetime import timedelta

from selfcare.adapters.outbox_tables import OutboxMail
from selfcare.db.engine import transaction
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.ports.messages import Mail, MailNotSetUp

KEPT = timedelta(days=30)


class OutboxSender:
    async def send(self, mail: Mail) -> None:
        """Twice is once."""
        email = mail.as_email()
        row = OutboxMail(
            id=mail.id,
            mail_to=mail.to,
            mail_from=str(email["From"]),
            subject=mail.subject,
            text=mail.text,
            html=mail.html,
            source=email.as_string(),
            at=mail.at,
        )
        async with transaction():
            await OutboxMail.insert(row).on_conflict(target=OutboxMail.id, action="DO NOTHING")


async def forget_old(_job: Job) -> None:
    async with transaction():
        await OutboxMail.delete().where(OutboxMail.at < clock.now() - KEPT)


class NowhereSender:
    """Production without a mail server: nothing may be kept that opens an account."""

    async def send(self, mail: Mail) -> None:
        raise MailNotSetUp
