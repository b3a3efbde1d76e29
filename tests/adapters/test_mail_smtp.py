"""Mail against a real server: what arrives, what is refused, and what happens when it hangs, hangs up or is away."""

from __future__ import annotations

import asyncio
import email
import json
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from selfcare.adapters.mail_smtp import Relay, SmtpSender
from selfcare.kernel.ids import new_id
from selfcare.ports.messages import AddressRefused, Mail, MailDelayed

AT = datetime(2026, 11, 22, 19, 4, tzinfo=UTC)
SERVER = Path(__file__).parents[1] / "support" / "smtp_server.py"


@dataclass
class Peer:
    """The server process, and what it told so far."""

    process: asyncio.subprocess.Process
    port: int = 0
    mails: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            told = json.loads(line)
            match told["what"]:
                case "port":
                    self.port = told["port"]
                case "connection":
                    self.connections += 1
                case "mail":
                    self.mails.append(told)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not true():
                await asyncio.sleep(0.01)

    async def got(self, count: int = 1) -> list[EmailMessage]:
        await self.until(lambda: len(self.mails) >= count)
        return [email.message_from_string(mail["source"], policy=default) for mail in self.mails]  # type: ignore[arg-type]


@asynccontextmanager
async def serving(mode: str, certificate: str = "", key: str = "") -> AsyncIterator[Peer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SERVER), mode, certificate, key, stdout=asyncio.subprocess.PIPE, limit=2**20
    )
    peer = Peer(process)
    listening = asyncio.create_task(peer.listen())
    try:
        await peer.until(lambda: peer.port > 0)
        yield peer
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


Serve = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def serve(authority: Authority) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as running:

        async def start(mode: str = "plain") -> Peer:
            tls = (authority.certificate, authority.key) if mode in ("starttls", "tls") else ()
            return await running.enter_async_context(serving(mode, *tls))

        yield start


@dataclass
class Authority:
    """A certificate authority of our own, and a server's certificate for 127.0.0.1."""

    certificate: str
    key: str
    trusted: ssl.SSLContext


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    place = tmp_path_factory.mktemp("tls")
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _sign("The test's authority", ca_key.public_key(), "The test's authority", ca_key, authority=True)
    own = _sign("mail.test", key.public_key(), "The test's authority", ca_key, authority=False)
    pem = serialization.Encoding.PEM
    (place / "ca.pem").write_bytes(ca.public_bytes(pem))
    (place / "own.pem").write_bytes(own.public_bytes(pem))
    (place / "own.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Authority(
        str(place / "own.pem"), str(place / "own.key"), ssl.create_default_context(cafile=str(place / "ca.pem"))
    )


def _sign(name: str, public: Any, issuer: str, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )


def sender(peer: Peer, scheme: str = "smtp", login: str = "", **options: Any) -> SmtpSender:
    return SmtpSender(Relay.parse(f"{scheme}://{login}127.0.0.1:{peer.port}"), **options)


def mail(to: str = "asha@example.test", **more: Any) -> Mail:
    values: dict[str, Any] = {
        "id": new_id(),
        "to": to,
        "from_name": "Lärk Mobile",
        "from_address": "help@lark.example",
        "subject": "Your bill of £24.00 is ready",
        "text": "Hello Zoë,\n.\nhttps://my.lark.example/" + "x" * 300 + "\n",
        "html": "<p>Hello Zoë</p>",
        "at": AT,
    }
    return Mail(**values | more)


async def test_both_parts_arrive_letter_by_letter(serve: Serve) -> None:
    peer = await serve()
    sent = mail()
    await sender(peer).send(sent)
    (got,) = await peer.got()
    assert got["Subject"] == "Your bill of £24.00 is ready"
    assert got["From"] == "Lärk Mobile <help@lark.example>"
    assert got["Message-ID"] == f"<{sent.id}@lark.example>"
    assert got["Auto-Submitted"] == "auto-generated"
    text, html = got.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == sent.text
    assert html.get_content().strip() == sent.html
    assert (peer.mails[0]["to"], peer.mails[0]["sender"]) == (["asha@example.test"], "help@lark.example")


async def test_mail_goes_by_starttls_under_our_name(serve: Serve, authority: Authority) -> None:
    peer = await serve("starttls")
    await sender(peer, "smtp+starttls", "portal:p%40ss%2Fword@", tls=authority.trusted).send(mail())
    await peer.got()
    assert peer.mails[0]["tls"]
    assert peer.mails[0]["user"]


async def test_mail_goes_by_tls_from_the_start(serve: Serve, authority: Authority) -> None:
    peer = await serve("tls")
    await sender(peer, "smtps", tls=authority.trusted).send(mail())
    await peer.got()
    assert peer.mails[0]["tls"]


async def test_fifty_mails_share_one_connection(serve: Serve) -> None:
    peer = await serve()
    by = sender(peer)
    await asyncio.gather(*(by.send(mail(f"a{number}@example.test")) for number in range(50)))
    await peer.got(50)
    assert peer.connections == 1
    await by.close()


async def test_a_relay_without_starttls_gets_nothing_where_it_is_asked_for(serve: Serve, authority: Authority) -> None:
    peer = await serve("plain")
    with pytest.raises(MailDelayed):
        await sender(peer, "smtp+starttls", tls=authority.trusted).send(mail())
    assert peer.mails == []


@pytest.mark.parametrize(("mode", "scheme"), [("starttls", "smtp+starttls"), ("tls", "smtps")])
async def test_a_certificate_that_nobody_vouches_for_is_refused(serve: Serve, mode: str, scheme: str) -> None:
    peer = await serve(mode)
    with pytest.raises(MailDelayed, match="CERTIFICATE_VERIFY_FAILED"):
        await sender(peer, scheme, "portal:p%40ss%2Fword@").send(mail())
    assert peer.mails == []


async def test_a_certificate_for_another_name_is_refused(serve: Serve, authority: Authority) -> None:
    peer = await serve("tls")
    with pytest.raises(MailDelayed, match="CERTIFICATE_VERIFY_FAILED"):
        await SmtpSender(Relay.parse(f"smtps://localhost:{peer.port}"), tls=authority.trusted).send(mail())


async def test_a_wrong_password_is_no_fault_of_the_address(serve: Serve, authority: Authority) -> None:
    peer = await serve("starttls")
    with pytest.raises(MailDelayed, match="535"):
        await sender(peer, "smtp+starttls", "portal:wrong@", tls=authority.trusted).send(mail())


async def test_a_451_is_tried_again_and_arrives(serve: Serve) -> None:
    peer = await serve()
    by, sent = sender(peer), mail("later-asha@example.test")
    with pytest.raises(MailDelayed, match="451"):
        await by.send(sent)
    await by.send(sent)
    (got,) = await peer.got()
    assert got["Message-ID"] == sent.message_id
    assert peer.connections == 1


async def test_a_550_is_for_good_and_the_next_mail_still_goes(serve: Serve) -> None:
    peer = await serve()
    by = sender(peer)
    with pytest.raises(AddressRefused, match="no such mailbox") as refused:
        await by.send(mail("nobody-asha@example.test"))
    assert refused.value.code == 550
    await by.send(mail())
    await peer.got()
    assert peer.connections == 1


async def test_a_server_that_is_down_is_a_delay() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closing:
        port = closing.getsockname()[1]
    with pytest.raises(MailDelayed):
        await SmtpSender(Relay.parse(f"smtp://127.0.0.1:{port}")).send(mail())


async def test_a_server_that_says_nothing_is_a_delay() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        by = SmtpSender(Relay.parse(f"smtp://127.0.0.1:{silent.getsockname()[1]}"), timeout_seconds=0.2)
        with pytest.raises(MailDelayed):
            await by.send(mail())


async def test_a_server_that_hangs_is_a_delay_and_the_next_mail_gets_a_new_connection(serve: Serve) -> None:
    peer = await serve()
    by = sender(peer, timeout_seconds=0.5)
    with pytest.raises(MailDelayed):
        await by.send(mail("hang-asha@example.test"))
    await by.send(mail())
    await peer.got()
    assert peer.connections == 2


async def test_a_server_that_hangs_up_is_a_delay_and_the_next_mail_gets_a_new_connection(serve: Serve) -> None:
    peer = await serve()
    by = sender(peer)
    with pytest.raises(MailDelayed):
        await by.send(mail("bye-asha@example.test"))
    await by.send(mail())
    await peer.got()
    assert peer.connections == 2


async def test_a_server_that_left_while_nothing_was_to_do_costs_no_mail(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfcare.adapters.mail_smtp.IDLE_SECONDS", 0)
    first = await serve()
    by = sender(first)
    await by.send(mail())
    first.process.kill()
    await first.process.wait()
    second = await serve()
    by.relay = Relay.parse(f"smtp://127.0.0.1:{second.port}")
    await by.send(mail())
    await second.got()


@pytest.mark.parametrize("to", ["a@example.test\r\nBcc: b@example.test", "a@example.test, b@example.test", "<a@b>", ""])
async def test_an_address_with_more_in_it_reaches_nobody(serve: Serve, to: str) -> None:
    peer = await serve()
    with pytest.raises(AddressRefused):
        await sender(peer).send(mail(to))
    assert peer.connections == 0


@pytest.mark.parametrize("name", ["Lark\r\nBcc: b@example.test", 'Lark" <b@example.test>, "'])
async def test_a_name_with_more_in_it_stays_a_name(serve: Serve, name: str) -> None:
    peer = await serve()
    try:
        await sender(peer).send(mail(from_name=name))
    except AddressRefused:
        return
    (got,) = await peer.got()
    assert got["Bcc"] is None
    assert [address.addr_spec for address in got["From"].addresses] == ["help@lark.example"]


def test_a_relay_is_read_from_its_address() -> None:
    relay = Relay.parse("smtp+starttls://portal:p%40ss@mail.lark.example")
    assert relay == Relay("mail.lark.example", 587, tls=False, starttls=True, user="portal", password="p@ss")
    assert Relay.parse("smtps://mail.lark.example").port == 465
    assert Relay.parse("smtp://mail.lark.example").port == 25
