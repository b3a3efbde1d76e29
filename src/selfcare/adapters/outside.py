"""One machine that is not ours, asked again and again: short waits, and a breaker once it stays silent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import httpx

from selfcare.adapters import outgoing
from selfcare.kernel import clock
from selfcare.ports.failures import Unknown, Unreachable

CONNECT_SECONDS = 3.0
FAILURES = 5
REST = timedelta(seconds=30)


class Breaker:
    """After five failures in a row nobody waits for that machine any more; every 30 seconds one may try."""

    def __init__(self, *, failures: int = FAILURES, rest: timedelta = REST) -> None:
        self.most, self.rest = failures, rest
        self.failures = 0
        self.answered_at: datetime | None = None
        self._next_try: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self._next_try is not None

    def ask(self) -> None:
        """Raises Unreachable while it is open, but for the one whose turn it is to try."""
        now = clock.now()
        if self._next_try is None:
            return
        # A clock that was turned back must not keep it open for long.
        if self._next_try - self.rest <= now < self._next_try:
            raise Unreachable(retry_after=max(1, int((self._next_try - now).total_seconds())))
        self._next_try = now + self.rest

    def worked(self) -> None:
        self.failures, self._next_try, self.answered_at = 0, None, clock.now()

    def failed(self) -> None:
        self.failures += 1
        if self.failures >= self.most:
            self._next_try = clock.now() + self.rest


class Outside:
    """One machine. `send` and `post` raise Unreachable where nothing was done there, Unknown where nobody can say."""

    def __init__(self, url: str, *, read_seconds: float = 5.0, connect_seconds: float = CONNECT_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("an address like https://machine.operator.example is needed")
        self.url = url
        self.breaker = Breaker()
        self._timeout = httpx.Timeout(read_seconds, connect=connect_seconds, pool=connect_seconds)
        # A connection belongs to the event loop it was opened in.
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx.AsyncClient] = WeakKeyDictionary()

    async def post(self, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        return await self.send("POST", "", content, headers)

    async def send(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """`path` comes after the address."""
        outgoing.check_outside()
        self.breaker.ask()
        try:
            answer = await self._client.request(method, self.url + path, content=content, headers=dict(headers))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            self.breaker.failed()
            raise Unreachable from error
        except httpx.HTTPError as error:
            self.breaker.failed()
            raise Unknown("No answer came.") from error
        if answer.status_code >= 500:
            self.breaker.failed()
            raise Unknown(f"It answered {answer.status_code}.")
        return answer

    async def close(self) -> None:
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()

    @property
    def _client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self._clients[loop] = outgoing.client(str(urlsplit(self.url).hostname), timeout=self._timeout)
        return self._clients[loop]


def credentials(url: str) -> tuple[str, Any]:
    """The address without user and password, and these for Basic authentication."""
    parts = urlsplit(url)
    if parts.username is None:
        return url, None
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return bare, (parts.username, parts.password or "")
