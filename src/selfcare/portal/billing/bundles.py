"""Many bills in one file: asked for by dates, made in the background with its progress told, kept for a week."""

from __future__ import annotations

import csv
import io
import logging
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.parts import Parts, read_parts
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.identity import limits
from selfcare.identity.identity import CustomerScope, Identity
from selfcare.identity.rights import RIGHTS_OF, Right, Role
from selfcare.jobs.registry import Job
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.billing import papers
from selfcare.portal.billing.papers import Printer
from selfcare.portal.billing.queries import get_invoice
from selfcare.portal.billing.statement import paper, statement
from selfcare.portal.billing.statement.statement import Span
from selfcare.portal.billing.transactions import decimal
from selfcare.ports.jobs import WHENEVER, Jobs
from selfcare.ports.messages import Messages

MAKE = "billing.make_bundle"
TRIES = 3
LASTS = timedelta(days=7)
MOST = 2000
# So many are made while somebody waits for them.
MOST_AT_ONCE = 50
TELL_EVERY = 10
BY_USER = limits.Limit("billing.bundle", 10, timedelta(hours=1))
COLUMNS = ("number", "kind", "date", "due", "total", "currency", "file", "problem")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    id: UUID
    first: date
    last: date
    holds: str
    state: str
    bills: int
    done: int
    size_bytes: int | None
    asked_at: datetime
    expires_at: datetime

    @property
    def share(self) -> int:
        """How much of it is made, in percent."""
        return self.done * 100 // self.bills


async def latest(identity: Identity) -> Bundle | None:
    """The one asked for last, while it is kept."""
    row = await fetch_one(_LATEST.bind(user_id=identity.user_id, customer_id=identity.customer.customer_id))
    return Bundle(**row) if row and row["expires_at"] > clock.now() else None


async def count(scope: CustomerScope, first: date, last: date) -> int:
    """How many bills these are. Raises Rejected where there is none or too many."""
    rows = await fetch(_COUNT.bind(customer_id=scope.customer_id, first=first, last=last))
    bills = int(rows[0]["n"])
    if not bills:
        raise Rejected(_("There is no bill in this time."), "last")
    if bills > MOST:
        raise Rejected(
            _("These are %(n)d bills; choose a shorter time, at most %(most)d.") % {"n": bills, "most": MOST}
        )
    return bills


async def fetch_now(identity: Identity, first: date, last: date, printer: Printer) -> bytes:
    """The whole file of a few bills. Raises Rejected for more than a few, limits.TooOften."""
    if await count(identity.customer, first, last) > MOST_AT_ONCE:
        raise Rejected(_("These are too many bills to wait for."), "last")
    await limits.claim(BY_USER, str(identity.user_id))
    sink = io.BytesIO()
    await _write(sink, identity.customer, first, last, printer)
    async with transaction():
        await audit.record(identity, Event.BILLING_INVOICE_FETCHED, format="zip")
    return sink.getvalue()


async def ask(identity: Identity, first: date, last: date, jobs: Jobs) -> None:
    """Raises Rejected where there is no bill or too many of them, Conflict while one is being made."""
    await _ask(identity, "bills", first, last, await count(identity.customer, first, last), jobs)


async def ask_statement(identity: Identity, first: date, last: date, jobs: Jobs) -> None:
    """A statement of account of any length. Raises Conflict while another file is being made, limits.TooOften."""
    await _ask(identity, "statement", first, last, 1, jobs)


async def _ask(identity: Identity, holds: str, first: date, last: date, bills: int, jobs: Jobs) -> None:
    await limits.claim(BY_USER, str(identity.user_id))
    key = {"user_id": identity.user_id, "customer_id": identity.customer.customer_id}
    bundle_id, now = ids.new_id(), clock.now()
    async with transaction():
        values = {**key, "id": bundle_id, "first": first, "last": last, "holds": holds, "bills": bills, "now": now}
        if not await execute(_ADD.bind(**values, expires_at=now + LASTS)):
            raise Conflict(_("We are putting a file together already."))
        await audit.record(identity, Event.BILLING_BUNDLE_ASKED, about=bundle_id, bills=bills)
        await jobs.enqueue(MAKE, key=f"{MAKE}:{bundle_id}", payload={"bundle": str(bundle_id)}, priority=WHENEVER)


async def open_file(identity: Identity, bundle_id: UUID) -> tuple[int, AsyncIterator[bytes]]:
    """The size and the pieces. Raises NotFound, also for what is not ready, over or another person's."""
    key = {"user_id": identity.user_id, "customer_id": identity.customer.customer_id}
    row = await fetch_one(_READY.bind(id=bundle_id, now=clock.now(), **key))
    if row is None:
        raise NotFound
    async with transaction():
        await audit.record(identity, Event.BILLING_INVOICE_FETCHED, about=bundle_id, format="zip")
    return row["size_bytes"], read_parts(lambda position: _PART.bind(bundle_id=bundle_id, position=position))


@dataclass(frozen=True, slots=True)
class Maker:
    """The job."""

    printer: Printer
    messages: Messages

    async def make(self, job: Job) -> None:
        bundle_id = UUID(job.payload["bundle"])
        row = await fetch_one(_ASKED.bind(id=bundle_id))
        if row is None:
            return
        if not await _may_still(row):
            await _give_up(bundle_id)
            return
        try:
            size = await self.write(bundle_id, row)
        except Exception:
            if job.attempt >= TRIES:
                await _give_up(bundle_id)
            raise
        async with transaction():
            if await execute(_DONE.bind(id=bundle_id, size=size)):
                await self._tell(bundle_id, row)

    async def write(self, bundle_id: UUID, asked: dict[str, Any]) -> int:
        async with transaction():
            await execute(_FORGET_PARTS.bind(ids=[bundle_id]))
        sink = Parts(
            lambda position, body: _ADD_PART.bind(id=ids.new_id(), bundle_id=bundle_id, position=position, body=body)
        )

        async def tell(done: int) -> None:
            await sink.flush_full()
            if done % TELL_EVERY == 0:
                async with transaction():
                    await execute(_TELL.bind(id=bundle_id, done=done))

        scope = await papers.scope_of(asked["customer_id"])
        if asked["holds"] == "statement":
            await _write_statement(sink, scope, Span(asked["first"], asked["last"]), self.printer)
        else:
            await _write(sink, scope, asked["first"], asked["last"], self.printer, tell)
        await sink.flush_rest()
        return sink.size

    async def _tell(self, bundle_id: UUID, asked: dict[str, Any]) -> None:
        await self.messages.send_later(
            Message.BUNDLE_READY,
            to_user=asked["user_id"],
            customer_id=asked["customer_id"],
            about=bundle_id,
            dedupe_key=f"bundle.ready:{bundle_id}",
            expires_at=asked["expires_at"],
            until=asked["expires_at"],
            path="/billing/bundles",
        )


async def _give_up(bundle_id: UUID) -> None:
    async with transaction():
        if await execute(_FAILED.bind(id=bundle_id)):
            await execute(_FORGET_PARTS.bind(ids=[bundle_id]))


async def _may_still(asked: dict[str, Any]) -> bool:
    """Read again when it is made: who lost the role meanwhile gets no bills."""
    row = await fetch_one(_MEMBER.bind(user_id=asked["user_id"], customer_id=asked["customer_id"]))
    return row is not None and Right.VIEW_OWN_BILLS in RIGHTS_OF[Role(row["role"])]


async def _nobody(_done: int) -> None:
    """Nobody waits to hear how far it is."""


async def _write(
    sink: Parts | io.BytesIO,
    scope: CustomerScope,
    first: date,
    last: date,
    printer: Printer,
    tell: Callable[[int], Awaitable[None]] = _nobody,
) -> None:
    """A PDF for each bill and a list of them all."""
    index, at = io.StringIO(), clock.now().timetuple()[:6]
    lines = csv.writer(index)
    lines.writerow(COLUMNS)
    bills = await fetch(_BILLS.bind(customer_id=scope.customer_id, first=first, last=last, most=MOST))
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for done, bill in enumerate(bills, 1):
            name, problem = f"{bill['number']}.pdf", ""
            try:
                paper = await printer.print(scope, bill["id"])
                # A PDF is compressed already.
                archive.writestr(zipfile.ZipInfo(name, at), paper, zipfile.ZIP_STORED)
            except Exception:
                log.exception("a bill could not be put on paper", extra={"invoice": bill["number"]})
                name, problem = "", _("This bill could not be made. Download it alone, or ask us for it.")
            lines.writerow(await _line(scope, bill["id"], name, problem, printer.zone))
            await tell(done)
        archive.writestr(zipfile.ZipInfo("index.csv", at), index.getvalue())


async def _write_statement(sink: Parts, scope: CustomerScope, span: Span, printer: Printer) -> None:
    """The paper and the sheet of it."""
    found = await statement.long(scope, span)
    receiver, at = await papers.receiver_of(scope.customer_id), clock.now().timetuple()[:6]
    body = await papers.drawn(partial(paper.draw, found, receiver, printer.operator, simulated=printer.simulated))
    text = io.StringIO()
    lines = csv.writer(text)
    lines.writerow((_("Date"), _("Description"), _("Amount"), _("Balance"), _("Currency")))
    async for row in paper.cells(found):
        lines.writerow(row)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo(f"{paper.name_of(span)}.pdf", at), body, zipfile.ZIP_STORED)
        archive.writestr(zipfile.ZipInfo(f"{paper.name_of(span)}.csv", at), text.getvalue())
    await sink.flush_full()


async def _line(scope: CustomerScope, invoice_id: UUID, file: str, problem: str, zone: str) -> list[object]:
    row = (await get_invoice(scope, invoice_id, today=clock.today(zone))).row
    total = decimal(row.bill.total)
    return [row.number, row.bill.kind, row.issued_on, row.due_on, total, row.bill.currency, file, problem]


async def forget_old(_job: Job) -> None:
    """The files whose time is over, with their rows."""
    while True:
        async with transaction():
            gone = [row["id"] for row in await fetch(_OVER.bind(now=clock.now(), most=50))]
            if not gone:
                return
            await execute(_FORGET_PARTS.bind(ids=gone))
            await execute(_FORGET.bind(ids=gone))


_RANGE = "customer_id = :customer_id AND state <> 'draft' AND date >= :first AND date <= :last"
_COUNT = Prepared.sql(f"SELECT count(*) AS n FROM invoice WHERE {_RANGE}")
_BILLS = Prepared.sql(f"SELECT id, number FROM invoice WHERE {_RANGE} ORDER BY date, number LIMIT :most")
_LATEST = Prepared.sql(
    """
    SELECT id, first, last, holds, state, bills, done, size_bytes, asked_at, expires_at FROM bundle
     WHERE user_id = :user_id AND customer_id = :customer_id ORDER BY asked_at DESC, id DESC LIMIT 1
    """
)
_ADD = Prepared.sql(
    """
    INSERT INTO bundle (id, user_id, customer_id, first, last, holds, state, bills, done, asked_at, expires_at)
    VALUES (:id, :user_id, :customer_id, :first, :last, :holds, 'asked', :bills, 0, :now, :expires_at)
    ON CONFLICT DO NOTHING RETURNING id
    """
)
_ASKED = Prepared.sql(
    "SELECT user_id, customer_id, first, last, holds, expires_at FROM bundle WHERE id = :id AND state = 'asked'"
)
_TELL = Prepared.sql("UPDATE bundle SET done = :done WHERE id = :id AND state = 'asked' AND done < :done")
_DONE = Prepared.sql(
    """
    UPDATE bundle SET state = 'ready', done = bills, size_bytes = :size WHERE id = :id AND state = 'asked' RETURNING id
    """
)
_FAILED = Prepared.sql("UPDATE bundle SET state = 'failed' WHERE id = :id AND state = 'asked' RETURNING id")
_MEMBER = Prepared.sql(
    """
    SELECT role FROM membership
     WHERE user_id = :user_id AND customer_id = :customer_id AND accepted_at IS NOT NULL AND removed_at IS NULL
    """
)
_READY = Prepared.sql(
    """
    SELECT size_bytes FROM bundle
     WHERE id = :id AND user_id = :user_id AND customer_id = :customer_id AND state = 'ready' AND expires_at > :now
    """
)
_PART = Prepared.sql("SELECT body FROM bundle_part WHERE bundle_id = :bundle_id AND position = :position")
_ADD_PART = Prepared.sql(
    "INSERT INTO bundle_part (id, bundle_id, position, body) VALUES (:id, :bundle_id, :position, :body)"
)
_FORGET_PARTS = Prepared.sql("DELETE FROM bundle_part WHERE bundle_id IN :ids")
_OVER = Prepared.sql("SELECT id FROM bundle WHERE expires_at <= :now ORDER BY expires_at LIMIT :most")
_FORGET = Prepared.sql("DELETE FROM bundle WHERE id IN :ids")
