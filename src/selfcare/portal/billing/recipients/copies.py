"""Copies of new bills: a row for each bill and receiver, so that it goes out once; its link opens that one PDF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.identity import limits, marked
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.kernel.errors import DeadLink
from selfcare.kernel.ids import new_id
from selfcare.kernel.origin import Origin
from selfcare.messages.events import Message
from selfcare.portal.billing.papers import Paper, Printer, scope_of
from selfcare.portal.billing.recipients.recipients import STOP
from selfcare.ports.messages import Messages

LIFE = timedelta(days=30)
# A bill may reach us late; one that is older than this is no news.
NEW = timedelta(days=31)
# Longer than a bill is new, or its copy would go out again.
KEPT = timedelta(days=90)
AT_ONCE = 200
BY_ADDRESS = limits.Limit("billing.copy", 20, timedelta(minutes=1))
LINK = "billing.copy"


@dataclass(frozen=True, slots=True)
class Copy:
    """All that its receiver is told beside the PDF itself."""

    id: UUID
    customer_id: UUID
    invoice_id: UUID
    recipient_id: UUID
    customer: str
    number: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Sender:
    messages: Messages
    key: bytes
    zone: str

    async def send_new(self, _job: Job) -> None:
        today = clock.today(self.zone)
        while True:
            rows = await fetch(_NEW.bind(oldest=today - NEW, today=today, most=AT_ONCE))
            for row in rows:
                await self._send(row["recipient_id"], row["customer_id"], row["invoice_id"], row["number"])
            if len(rows) < AT_ONCE:
                return

    async def _send(self, recipient_id: UUID, customer_id: UUID, invoice_id: UUID, number: str) -> None:
        now, id = clock.now(), new_id()
        ends = now + LIFE
        async with transaction():
            of = {"id": id, "recipient_id": recipient_id, "customer_id": customer_id, "invoice_id": invoice_id}
            # Nothing comes back where they stopped meanwhile, or another worker was faster.
            made = await execute(_MAKE.bind(**of, now=now, ends=ends))
            if not made:
                return
            receiver = await fetch_one(_RECEIVER.bind(id=recipient_id))
            if receiver is None:
                return
            await self.messages.send_later(
                Message.BILL_COPY,
                to_address=receiver["email"],
                customer_id=customer_id,
                about=invoice_id,
                dedupe_key=f"bill.copy:{id}",
                customer=receiver["customer"],
                bill=number,
                until=ends,
                path=f"/billing/copy?token={marked.token_of(LINK, id, self.key)}",
                stop=f"/billing/recipients/stop?token={marked.token_of(STOP, recipient_id, self.key)}",
            )


async def get(token: str, origin: Origin, *, key: bytes) -> Copy:
    """Raises DeadLink, also once the receiver stopped or was removed, and limits.TooOften."""
    await limits.claim(BY_ADDRESS, limits.network(origin.address))
    id = marked.id_in(LINK, token, key)
    row = await fetch_one(_GET.bind(id=id, now=clock.now())) if id else None
    if row is None:
        raise DeadLink
    return Copy(**row)


async def download(token: str, origin: Origin, *, key: bytes, printer: Printer) -> Paper:
    """Raises what `get` raises."""
    copy = await get(token, origin, key=key)
    body = await printer.print(await scope_of(copy.customer_id), copy.invoice_id)
    async with transaction():
        who = audit.visitor(origin, customer_id=copy.customer_id)
        await audit.record(who, Event.BILLING_COPY_FETCHED, about=copy.invoice_id)
    return Paper(f"{copy.number}.pdf", body)


async def forget_old(_job: Job) -> None:
    async with transaction():
        await execute(_FORGET.bind(before=clock.now() - KEPT))


_NEW = Prepared.sql(
    """
    SELECT r.id AS recipient_id, r.customer_id AS customer_id, i.id AS invoice_id, i.number AS number
    FROM bill_recipient r
    JOIN customer c ON c.id = r.customer_id AND c.status <> 'archived'
    JOIN invoice i ON i.customer_id = r.customer_id
    WHERE r.confirmed_at IS NOT NULL AND r.stopped_at IS NULL
        AND i.state IN ('issued', 'settled') AND i.kind <> 'proforma' AND i.date >= :oldest AND i.date <= :today
        AND (i.date > r.bills_from OR i.created_at > r.confirmed_at)
        AND NOT EXISTS (SELECT 1 FROM bill_copy k WHERE k.recipient_id = r.id AND k.invoice_id = i.id)
    ORDER BY i.date, i.number LIMIT :most
    """
)
_MAKE = Prepared.sql(
    """
    INSERT INTO bill_copy (id, customer_id, recipient_id, invoice_id, made_at, expires_at)
    SELECT :id, r.customer_id, r.id, :invoice_id, :now, :ends FROM bill_recipient r
    WHERE r.id = :recipient_id AND r.customer_id = :customer_id AND r.stopped_at IS NULL
    ON CONFLICT DO NOTHING RETURNING id
    """
)
_RECEIVER = Prepared.sql(
    """
    SELECT r.email AS email, c.name AS customer FROM bill_recipient r JOIN customer c ON c.id = r.customer_id
    WHERE r.id = :id
    """
)
_GET = Prepared.sql(
    """
    SELECT k.id AS id, k.customer_id AS customer_id, k.invoice_id AS invoice_id, k.recipient_id AS recipient_id,
        c.name AS customer, i.number AS number, k.expires_at AS expires_at
    FROM bill_copy k
    JOIN bill_recipient r ON r.id = k.recipient_id AND r.stopped_at IS NULL
    JOIN customer c ON c.id = k.customer_id
    JOIN invoice i ON i.id = k.invoice_id
    WHERE k.id = :id AND k.expires_at > :now
    """
)
_FORGET = Prepared.sql("DELETE FROM bill_copy WHERE made_at < :before")
