"""Messages to people: asked for in a transaction, sent after it, each once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from selfcare.messages.events import Message

ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+@[^\s@<>()\[\]\\,;:\"\x00-\x1f\x7f]+")


class Messages(Protocol):
    async def send_later(
        self,
        event: Message | str,
        *,
        dedupe_key: str,
        to_user: UUID | None = None,
        to_address: str | None = None,
        customer_id: UUID | None = None,
        about: UUID | str | None = None,
        expires_at: datetime | None = None,
        **values: object,
    ) -> None:
        """Inside the caller's transaction, to a user or to an address. A second one with this key is not sent.

        `values` are those the event declares; links are paths of this site. After `expires_at` it is not sent any more.
        """


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail, ready to go. The same `id` always has the same Message-ID."""

    id: UUID
    to: str
    from_name: str
    from_address: str
    subject: str
    text: str
    html: str
    at: datetime
    language: str = "en"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def message_id(self) -> str:
        return f"<{self.id}@{self.from_address.rpartition('@')[2]}>"

    def as_email(self) -> EmailMessage:
        """Raises ValueError for an address or header that would break out of its line."""
        if not ADDRESS.fullmatch(self.to):
            raise ValueError("this is no address")
        mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
        mail["From"] = Address(self.from_name, addr_spec=self.from_address)
        mail["To"] = Address(addr_spec=self.to)
        mail["Subject"] = self.subject
        mail["Date"] = self.at
        mail["Message-ID"] = self.message_id
        mail["Content-Language"] = self.language
        # Nobody's holiday answer shall answer a machine.
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        for name, value in self.headers.items():
            mail[name] = value
        mail.set_content(self.text)
        mail.add_alternative(self.html, subtype="html")
        return mail


class AddressRefused(Exception):
    """For good: nobody lives there. `code` is what the server answered."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{code} {words}")
        self.code = code


class MailDelayed(Exception):
    """Not now; it will be tried again."""


class MailNotSetUp(Exception):
    """There is no way to send mail here."""


class MailSender(Protocol):
    async def send(self, mail: Mail) -> None:
        """Raises AddressRefused, MailDelayed or MailNotSetUp."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text to a phone number in E.164. Sent again under the same `id` it is the same text."""

    id: UUID
    to: str
    words: str
    sender: str
    at: datetime


class TextsNotSetUp(Exception):
    """There is no way to send texts here."""


class TextSender(Protocol):
    async def send(self, text: Text) -> None:
        """Raises TextsNotSetUp, or anything else to be tried again."""
