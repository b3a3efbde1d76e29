"""A mail server for tests, in a process of its own. What it answers is told by the address that is written to.

`later-…@` is refused with 451 the first time, `nobody-…@` with 550 always, `hang-…@` is never answered, `bye-…@` ends
the connection. Prints its port, then one line of JSON for every connection and every mail.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


class Handler:
    def __init__(self) -> None:
        self.refused: set[str] = set()

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, _: Any) -> str:
        kind = address.partition("-")[0]
        if kind == "nobody":
            return "550 5.1.1 no such mailbox"
        if kind == "later" and address not in self.refused:
            self.refused.add(address)
            return "451 4.7.1 come back in a minute"
        if kind == "hang":
            await asyncio.Event().wait()
        if kind == "bye":
            assert server.transport is not None
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        tell(
            "mail",
            to=envelope.rcpt_tos,
            sender=envelope.mail_from,
            source=(envelope.original_content or b"").decode("ascii"),
            tls=server.transport.get_extra_info("sslcontext") is not None if server.transport else False,
            user=session.authenticated,
        )
        return "250 OK"


class Server(SMTP):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(self.transport, asyncio.Transport):
            tell("connection")
        super().connection_made(transport)


def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"portal", b"p@ss/word")
    # Handled by the server: with True here and no success the peer would wait for ever.
    return AuthResult(success=right, handled=False)


def tell(what: str, **more: object) -> None:
    print(json.dumps({"what": what, **more}), flush=True)


async def serve(mode: str, certificate: str, key: str) -> None:
    handler = Handler()
    tls = None
    if certificate:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate, key)

    def protocol() -> Server:
        return Server(
            handler,
            hostname="mail.test",
            tls_context=tls if mode == "starttls" else None,
            require_starttls=mode == "starttls",
            authenticator=check,
            auth_required=mode in ("starttls", "auth"),
            auth_require_tls=mode == "starttls",
        )

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=tls if mode == "tls" else None
    )
    tell("port", port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(serve(*sys.argv[1:]))
