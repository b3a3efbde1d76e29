"""The only way out: HTTP to listed hosts, with time limits, without redirects, and never inside a transaction."""

from __future__ import annotations

from collections.abc import Collection

import httpx

from selfcare.db.engine import in_transaction

TIMEOUT = httpx.Timeout(10, connect=3)
LIMITS = httpx.Limits(max_connections=20, max_keepalive_connections=5)


class InTransaction(RuntimeError):
    """A mistake of ours: the lock would be held for as long as the other side likes."""


class NotListed(RuntimeError):
    """A mistake of ours or of the settings: nobody allowed us to talk to this host."""


def check_outside() -> None:
    if in_transaction():
        raise InTransaction("the network is not asked inside a transaction")


class Guarded(httpx.AsyncBaseTransport):
    """Looks at every request before it leaves."""

    def __init__(self, inner: httpx.AsyncBaseTransport, hosts: Collection[str]) -> None:
        self.inner = inner
        self.hosts = frozenset(hosts)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_outside()
        if request.url.host not in self.hosts:
            raise NotListed(request.url.host)
        return await self.inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self.inner.aclose()


def client(
    *hosts: str, transport: httpx.AsyncBaseTransport | None = None, timeout: httpx.Timeout = TIMEOUT
) -> httpx.AsyncClient:
    """For these hosts and no others."""
    guarded = Guarded(transport or httpx.AsyncHTTPTransport(limits=LIMITS), hosts)
    # trust_env: a proxy of the machine we run on has no business in between.
    return httpx.AsyncClient(transport=guarded, timeout=timeout, follow_redirects=False, trust_env=False)
