"""The signed webhooks of the pretended gateway: sent, sent again, and read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from selfcare.adapters import outgoing, signatures
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.ports.payments import About, BadEvent, Event

HOOK = "/hooks/payments/embedded"
SIGNATURE = "selfcare-signature"

Deliver = Callable[[bytes, Mapping[str, str]], Awaitable[None]]


class Hooks:
    def __init__(self, key: bytes, public_url: str, deliver: Deliver | None = None) -> None:
        """`key` signs them. Posted to `public_url`, unless somebody else is to `deliver` them."""
        self.key = key
        self.public_url = public_url
        self.deliver = deliver or self._post

    def parse(self, raw: bytes, headers: Mapping[str, str], *, now: datetime) -> Event:
        signatures.check(raw, headers.get(SIGNATURE, ""), [self.key], now)
        try:
            body = json.loads(raw)
            payment_id = UUID(body["payment_id"]) if body["payment_id"] else None
            at = datetime.fromtimestamp(body["created"], UTC)
            about = About(body["about"])
            return Event(id=body["id"], kind=body["kind"], about=about, ref=body["ref"], payment_id=payment_id, at=at)
        except (ValueError, KeyError, TypeError) as error:
            raise BadEvent("this is not an event") from error

    async def list_missed(self, *, since: datetime) -> Sequence[Event]:
        # The youngest may still be on their way.
        until = clock.now() - timedelta(minutes=1)
        return [_event(row) for row in await fetch(MISSED.bind(since=since, until=until))]

    async def deliver_now(self, job: Job) -> None:
        row = await fetch_one(EVENT.bind(id=job.payload["event"]))
        if row is not None:
            await self._deliver(row)

    async def deliver_waiting(self, ref: str) -> None:
        for row in await fetch(EVENTS_OF.bind(ref=ref)):
            await self._deliver(row)

    async def _deliver(self, row: Row) -> None:
        body = json.dumps(
            {
                "id": row["id"],
                "kind": row["kind"],
                "about": row["about"],
                "ref": row["object_ref"],
                "payment_id": str(row["payment_id"]) if row["payment_id"] else None,
                "created": int(row["created_at"].timestamp()),
            }
        ).encode()
        await self.deliver(
            body, {SIGNATURE: signatures.sign(body, self.key, clock.now()), "content-type": "application/json"}
        )
        async with transaction():
            await execute(DELIVERED.bind(id=row["id"], now=clock.now()))

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> None:
        host = urlsplit(self.public_url).hostname or ""
        async with outgoing.client(host) as http:
            answer = await http.post(self.public_url + HOOK, content=body, headers=dict(headers))
            answer.raise_for_status()


def _event(row: Row) -> Event:
    return Event(
        id=row["id"],
        kind=row["kind"],
        about=About(row["about"]),
        ref=row["object_ref"],
        payment_id=row["payment_id"],
        at=row["created_at"],
    )


EVENT = Prepared.sql("SELECT id, kind, about, object_ref, payment_id, created_at FROM sim_event WHERE id = :id")
EVENTS_OF = Prepared.sql(
    """
    SELECT id, kind, about, object_ref, payment_id, created_at FROM sim_event
    WHERE object_ref = :ref AND delivered_at IS NULL ORDER BY id
    """
)
MISSED = Prepared.sql(
    """
    SELECT id, kind, about, object_ref, payment_id, created_at FROM sim_event
    WHERE delivered_at IS NULL AND created_at >= :since AND created_at <= :until ORDER BY created_at LIMIT 200
    """
)
DELIVERED = Prepared.sql("UPDATE sim_event SET delivered_at = :now WHERE id = :id AND delivered_at IS NULL")
