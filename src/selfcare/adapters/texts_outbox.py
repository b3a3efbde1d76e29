"""Texts that are kept beside the mails and not sent: for the demo and for development."""

from __future__ import annotations

from html import escape

from selfcare.adapters.outbox_tables import OutboxMail
from selfcare.db.engine import transaction
from selfcare.ports.messages import Text, TextsNotSetUp


class OutboxTexts:
    async def send(self, text: Text) -> None:
        """Twice is once."""
        row = OutboxMail(
            id=text.id,
            mail_to=text.to,
            mail_from=text.sender,
            subject=text.words[:60],
            text=text.words,
            html=f"<main><p>{escape(text.words)}</p></main>",
            source="",
            at=text.at,
        )
        async with transaction():
            await OutboxMail.insert(row).on_conflict(target=OutboxMail.id, action="DO NOTHING")


class NowhereTexts:
    """Production without a gateway for texts."""

    async def send(self, text: Text) -> None:
        raise TextsNotSetUp
