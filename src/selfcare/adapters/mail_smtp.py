"""Mail through a relay: one connection, kept while there is something to send."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

import aiosmtplib
from aiosmtplib import SMTP

from selfcare.ports.messages import AddressRefused, Mail, MailDelayed

TIMEOUT_SECONDS = 20
# Relays hang up on idle peers; asking them first costs less than finding out.
IDLE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Relay:
    host: str
    port: int
    tls: bool
    starttls: bool
    user: str | None
    password: str | None

    @classmethod
    def parse(cls, url: str) -> Self:
        """`smtps://` speaks TLS at once, `smtp+starttls://` insists on it, `smtp://` does neither."""
        parts = urlsplit(url)
        ports = {"smtps": 465, "smtp+starttls": 587, "smtp": 25}
        return cls(
            host=parts.hostname or "",
            port=parts.port or ports[parts.scheme],
            tls=parts.scheme == "smtps",
            starttls=parts.scheme == "smtp+starttls",
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class SmtpSender:
    def __init__(self, relay: Relay, *, tls: ssl.SSLContext | None = None, timeout_seconds: float = TIMEOUT_SECONDS):
        self.relay = relay
        self.timeout_seconds = timeout_seconds
        self._tls = tls or ssl.create_default_context()
        self._peer: SMTP | None = None
        self._last_used = 0.0
        self._turns = asyncio.Lock()

    async def send(self, mail: Mail) -> None:
        try:
            email = mail.as_email()
        except ValueError as error:
            raise AddressRefused(553, "this is no address") from error
        async with self._turns:
            peer = await self._connected()
            try:
                await peer.send_message(email)
            except aiosmtplib.SMTPRecipientsRefused as error:
                [refused, *_] = error.recipients
                await self._forget_transaction(peer)
                raise _meaning(refused.code, refused.message) from error
            except aiosmtplib.SMTPResponseException as error:
                await self._forget_transaction(peer)
                # A refusal of us or of our words is nothing the address can help.
                raise MailDelayed(f"{error.code} {error.message}") from error
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                self._drop(peer)
                raise MailDelayed(f"{type(error).__name__}: {error}") from error
            except asyncio.CancelledError:
                self._drop(peer)
                raise
            self._last_used = asyncio.get_running_loop().time()

    async def close(self) -> None:
        peer, self._peer = self._peer, None
        if peer is not None and peer.is_connected:
            try:
                await peer.quit()
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                peer.close()

    async def _connected(self) -> SMTP:
        idle = asyncio.get_running_loop().time() - self._last_used
        if self._peer is not None and self._peer.is_connected and await self._still_there(self._peer, idle):
            return self._peer
        peer = SMTP(
            hostname=self.relay.host,
            port=self.relay.port,
            use_tls=self.relay.tls,
            # False also where the relay offers it: what is not asked for would be no promise.
            start_tls=self.relay.starttls,
            username=self.relay.user,
            password=self.relay.password,
            tls_context=self._tls if self.relay.tls or self.relay.starttls else None,
            timeout=self.timeout_seconds,
        )
        try:
            await peer.connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            self._drop(peer)
            raise MailDelayed(f"{type(error).__name__}: {error}") from error
        self._peer = peer
        return peer

    async def _still_there(self, peer: SMTP, idle: float) -> bool:
        if idle < IDLE_SECONDS:
            return True
        try:
            await peer.noop()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            self._drop(peer)
            return False
        return True

    async def _forget_transaction(self, peer: SMTP) -> None:
        try:
            await peer.rset()
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            self._drop(peer)

    def _drop(self, peer: SMTP) -> None:
        peer.close()
        self._peer = None


def _meaning(code: int, words: str) -> AddressRefused | MailDelayed:
    words = " ".join(words.split())[:200]
    return AddressRefused(code, words) if 500 <= code < 600 else MailDelayed(f"{code} {words}")
