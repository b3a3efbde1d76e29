"""Everything around the portal: the gateway in a process of its own, customers with cards, and servers that die."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode
from uuid import UUID

import httpx
import stripe

from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.migrate import migrate
from selfcare.db.prepared import insert_many
from selfcare.identity import limits, sessions
from selfcare.identity.tables import Membership, User
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.kernel.origin import Origin
from selfcare.portal.cards.tables import PaymentMethod
from selfcare.portal.pay.tables import GatewayCustomer
from tests.crashes.server import AHEAD, KEY, WEBHOOK_SECRET, settings
from tests.support import lines, money, ports
from tests.support.databases import opened
from tests.support.money import Purse

HOOK = "/hooks/payments/stripe"
VERSION = stripe.api_version


class Died(Exception):
    """The server was killed while we waited for its answer."""


@dataclass
class Server:
    """One process of the portal."""

    world: World
    pid: int
    port: int

    def __post_init__(self) -> None:
        self.http = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", timeout=30, trust_env=False, verify=False
        )

    async def press(self, name: str, **asked: Any) -> Any:
        answer = await self._send("POST", f"/-/{name}", content=json.dumps(asked).encode())
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def hook(self, event: dict[str, Any]) -> int:
        body = json.dumps(event)
        at = int(time.time() + self.world.ahead)
        header = stripe.WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET, timestamp=at)
        headers = {"stripe-signature": header, "content-type": "application/json"}
        return (await self._send("POST", HOOK, content=body.encode(), headers=headers)).status_code

    async def page(self, path: str, session: str) -> httpx.Response:
        return await self._send("GET", path, headers={"cookie": f"sid={session}"})

    async def submit(self, path: str, session: str, fields: list[tuple[str, str]]) -> httpx.Response:
        headers = {"cookie": f"sid={session}", "sec-fetch-site": "same-origin"}
        headers["content-type"] = "application/x-www-form-urlencoded"
        return await self._send("POST", path, content=urlencode(fields).encode(), headers=headers)

    async def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        more["headers"] = more.get("headers", {}) | {AHEAD: str(self.world.ahead)}
        try:
            return await self.http.request(method, path, **more)
        except httpx.TransportError as error:
            raise Died from error

    async def kill(self) -> None:
        await self.http.aclose()
        await self.world.order({"kill": self.pid})


@dataclass
class Customer:
    """Somebody with a bill to pay, as one schedule needs her."""

    purse: Purse
    user_id: UUID
    ref: str
    bills: list[UUID]
    cards: dict[str, str] = field(default_factory=dict)
    service_id: UUID | None = None

    @property
    def id(self) -> str:
        return str(self.purse.customer_id)


class World:
    """One database, one gateway; servers come and go. `ahead`: how far the portal's clock went on meanwhile."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.ahead = 0.0
        self.note = folder / "killed-at"

    @classmethod
    @asynccontextmanager
    async def of(cls, url: str, folder: Path) -> AsyncIterator[Self]:
        """The database is made, the gateway runs, the nursery of servers is ready."""
        chosen = settings(url, "http://127.0.0.1:1")
        audit.configure(chosen.keys.audit)
        limits.configure(chosen.keys.lockout)
        async with opened(url):
            await migrate()
            world = cls(url, folder)
            async with world:
                yield world

    async def __aenter__(self) -> Self:
        port = ports.free()
        self.gateway_url = f"http://127.0.0.1:{port}"
        self.gateway = await _start("tests.support.stripe_fake", str(port), str(self.folder / "gateway.db"))
        self.http = httpx.AsyncClient(base_url=self.gateway_url, timeout=30, trust_env=False)
        self.nursery = await _start("tests.crashes.server", self.url, self.gateway_url, talks=True)
        assert self.nursery.stdout is not None
        assert (await self.nursery.stdout.readline()).strip() == b'"ready"'
        await self._wait_for_gateway()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()
        assert self.nursery.stdin is not None
        # At the end of its orders it ends its servers and itself.
        self.nursery.stdin.close()
        await self.nursery.wait()
        self.gateway.kill()
        await self.gateway.wait()

    async def order(self, wanted: dict[str, Any]) -> Any:
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.write(json.dumps(wanted).encode() + b"\n")
        await self.nursery.stdin.drain()
        return json.loads(await self.nursery.stdout.readline())

    async def serve(self, *, kill_at: int | None = None) -> Server:
        born = await self.order({"kill_at": kill_at, "note": str(self.note)})
        return Server(self, born["pid"], born["port"])

    def killed_at(self) -> list[str]:
        """The steps at which servers ended themselves so far."""
        return self.note.read_text().splitlines() if self.note.exists() else []

    async def customer(self, *, bills: int = 1) -> Customer:
        purse = await money.purse()
        user_id, now = new_id(), clock.now()
        ref = await self._api("customers", name="Asha Rao")
        async with transaction():
            await insert_many(User, [_user(user_id)])
            member = {"id": new_id(), "user_id": user_id, "customer_id": purse.customer_id, "role": "owner"}
            await insert_many(Membership, [member | {"invited_at": now, "accepted_at": now}])
            known = {"id": new_id(), "customer_id": purse.customer_id, "gateway": "stripe", "customer_ref": ref}
            await insert_many(GatewayCustomer, [known | {"created_at": now}])
        owed = [await money.bill(purse, 2_400, due_in=14 + n) for n in range(bills)]
        return Customer(purse, user_id, ref, owed)

    async def sign_in(self, customer: Customer) -> str:
        """The cookie of a sign-in that is good at the portal's time of day."""
        clock.travel_by(timedelta(seconds=self.ahead))
        try:
            async with transaction():
                origin = Origin("127.0.0.1", "crash", "R-CRASH")
                return await sessions.open_session(customer.user_id, origin, limits=sessions.Limits())
        finally:
            clock.reset()

    async def card(self, customer: Customer, last4: str = "4242") -> str:
        """A kept card with that behaviour."""
        if last4 in customer.cards:
            return customer.cards[last4]
        token = await self.people(f"card/{customer.ref}", last4=last4)
        id, now = new_id(), clock.now()
        row = {"id": id, "customer_id": customer.purse.customer_id, "token_ref": token, "brand": "visa"}
        row |= {"last4": last4, "exp_month": 12, "exp_year": 2030, "holder": "ASHA RAO", "fingerprint": f"fake{last4}"}
        row |= {"is_default": not customer.cards, "position": len(customer.cards) + 1, "created_at": now}
        async with transaction():
            await insert_many(PaymentMethod, [row])
        customer.cards[last4] = str(id)
        return str(id)

    async def line(self, customer: Customer) -> UUID:
        """A mobile line to top up."""
        if customer.service_id is None:
            customer.service_id = await lines.a_line(lines.Owner(customer.purse.customer_id))
        return customer.service_id

    async def people(self, path: str, **typed: str) -> Any:
        """What people and banks do at the gateway."""
        return (await self.http.post(f"/_fake/{path}", data=typed)).json()

    async def things(self, kind: str, customer: Customer) -> list[dict[str, Any]]:
        """What the gateway keeps of this customer, the newest first."""
        found: list[dict[str, Any]] = (await self.http.get(f"/_fake/things/{kind}/{customer.ref}")).json()
        return found

    async def _api(self, path: str, **params: str) -> str:
        headers = {"authorization": f"Bearer {KEY}", "stripe-version": VERSION}
        made = (await self.http.post(f"/v1/{path}", data=params, headers=headers)).json()
        return str(made["id"])

    async def _wait_for_gateway(self) -> None:
        for _try in range(2_000):
            try:
                await self.http.get("/_fake/things/customer")
                return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        raise RuntimeError("the gateway did not come up")


def _user(id: UUID) -> dict[str, Any]:
    now = clock.now()
    return {
        "id": id,
        "email": f"{id.hex}@example.test",
        "email_verified_at": now,
        "display_name": "Asha Rao",
        "password_hash": "x",
        "password_changed_at": now,
        "language": "en",
        "theme": "system",
        "created_at": now,
    }


async def _start(module: str, *args: str, talks: bool = False) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE if talks else None
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *args, stdin=pipe, stdout=pipe, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
