"""Asking for a copy of one's data, making it piece by piece, and giving it to nobody else."""

from __future__ import annotations

import json
import zipfile
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.parts import Parts, read_parts
from selfcare.db.prepared import Prepared, as_json, execute, fetch, fetch_one
from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.identity.rights import RIGHTS_OF, Right, Role
from selfcare.jobs.registry import Job
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict, NotFound
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.portal.account.export.contents import LEFT_OUT, SECTIONS, Section
from selfcare.ports.jobs import WHENEVER, Jobs
from selfcare.ports.messages import Messages

MAKE = "account.make_export"
TRIES = 3
LASTS = timedelta(days=7)
EXPORTS_BY_USER = limits.Limit("exports.user", 1, timedelta(days=1))
ROWS_AT_ONCE = 500


class Papers(Protocol):
    """Whoever makes bills on paper: the file for a bill, or None where there is none."""

    async def pdf(self, customer_id: UUID, invoice_id: UUID) -> bytes | None: ...


@dataclass(frozen=True, slots=True)
class Copy:
    id: UUID
    state: str
    size_bytes: int | None
    asked_at: datetime
    ready_at: datetime | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Asker:
    """Whose copy is made, and what they may see at the moment it is made."""

    user_id: UUID
    customer_id: UUID
    role: Role
    service_ids: frozenset[str] | None


async def latest(identity: Identity) -> Copy | None:
    row = await fetch_one(_LATEST.bind(user_id=identity.user_id, customer_id=identity.customer.customer_id))
    return Copy(**row) if row and row["expires_at"] > clock.now() else None


async def get(identity: Identity, export_id: UUID) -> Copy:
    """Raises NotFound, also for what is over or another person's."""
    row = await fetch_one(_ONE.bind(id=export_id, user_id=identity.user_id, customer_id=identity.customer.customer_id))
    if row is None or row["expires_at"] <= clock.now():
        raise NotFound(_("This copy is gone. Ask for a new one."))
    return Copy(**row)


async def ask(identity: Identity, jobs: Jobs) -> None:
    """Once a day. Raises limits.TooOften, or Conflict while one is being made."""
    customer_id, now, export_id = identity.customer.customer_id, clock.now(), ids.new_id()
    await limits.claim(EXPORTS_BY_USER, str(identity.user_id))
    async with transaction():
        asked = {"id": export_id, "user_id": identity.user_id, "customer_id": customer_id}
        if not await execute(_ADD.bind(**asked, now=now, expires_at=now + LASTS)):
            raise Conflict(_("We are putting your data together already. A mail comes when it is ready."))
        await audit.record(identity, Event.ACCOUNT_EXPORT_ASKED, about=export_id)
        await jobs.enqueue(MAKE, key=f"{MAKE}:{export_id}", payload={"export": str(export_id)}, priority=WHENEVER)


async def open_file(identity: Identity, export_id: UUID) -> tuple[int, AsyncIterator[bytes]]:
    """The size and the pieces. Raises NotFound, also for what is not ready, over or another person's."""
    row = await fetch_one(_READY.bind(id=export_id, user_id=identity.user_id, now=clock.now()))
    if row is None or row["customer_id"] != identity.customer_id:
        raise NotFound
    async with transaction():
        await audit.record(identity, Event.ACCOUNT_EXPORT_FETCHED, about=export_id)
    return row["size_bytes"], read_parts(lambda position: _PART.bind(export_id=export_id, position=position))


@dataclass(frozen=True, slots=True)
class Maker:
    """The job. Without `papers` the copy holds no PDF files."""

    messages: Messages
    papers: Papers | None = None

    async def make(self, job: Job) -> None:
        export_id = UUID(job.payload["export"])
        row = await fetch_one(_ASKED.bind(id=export_id))
        if row is None:
            return
        try:
            size = await self._write(export_id, await _asker(row["user_id"], row["customer_id"]))
        except Exception:
            # Staff see it among the dead letters; the person may ask again at once.
            if job.attempt >= TRIES:
                await self._fail(export_id, row["user_id"], row["customer_id"])
            raise
        await self._finish(export_id, row["user_id"], row["customer_id"], size)

    async def _write(self, export_id: UUID, asker: Asker) -> int:
        async with transaction():
            await execute(_FORGET_PARTS.bind(ids=[export_id]))
        sink = _sink(export_id)
        at = clock.now().timetuple()[:6]
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("README.txt", at), _about(asker))
            for section in SECTIONS:
                if section.needs is None or section.needs in RIGHTS_OF[asker.role]:
                    await _write_section(archive, sink, section, asker, at)
            await self._write_papers(archive, sink, asker, at)
        await sink.flush_rest()
        return sink.size

    async def _write_papers(self, archive: zipfile.ZipFile, sink: Parts, asker: Asker, at: Any) -> None:
        if self.papers is None or Right.VIEW_OWN_BILLS not in RIGHTS_OF[asker.role]:
            return
        after = UUID(int=0)
        while rows := await fetch(_BILLS.bind(customer_id=asker.customer_id, after=after, most=ROWS_AT_ONCE)):
            for row in rows:
                paper = await self.papers.pdf(asker.customer_id, row["id"])
                if paper is not None:
                    # A PDF is compressed already.
                    archive.writestr(zipfile.ZipInfo(f"bills/{row['number']}.pdf", at), paper, zipfile.ZIP_STORED)
                    await sink.flush_full()
            after = rows[-1]["id"]

    async def _finish(self, export_id: UUID, user_id: UUID, customer_id: UUID, size: int) -> None:
        now = clock.now()
        async with transaction():
            if not await execute(_DONE.bind(id=export_id, size=size, now=now, expires_at=now + LASTS)):
                return
            who = audit.system(customer_id=customer_id, user_id=user_id)
            await audit.record(who, Event.ACCOUNT_EXPORT_READY, about=export_id, bytes=size)
            await self.messages.send_later(
                Message.EXPORT_READY,
                to_user=user_id,
                customer_id=customer_id,
                about=export_id,
                dedupe_key=f"export.ready:{export_id}",
                expires_at=now + LASTS,
                until=now + LASTS,
                path=f"/account/export/{export_id}",
            )

    async def _fail(self, export_id: UUID, user_id: UUID, customer_id: UUID) -> None:
        async with transaction():
            if not await execute(_FAILED.bind(id=export_id)):
                return
            await execute(_FORGET_PARTS.bind(ids=[export_id]))
            await limits.give_back(EXPORTS_BY_USER, str(user_id))
            await self.messages.send_later(
                Message.EXPORT_FAILED,
                to_user=user_id,
                customer_id=customer_id,
                about=export_id,
                dedupe_key=f"export.failed:{export_id}",
                path="/account/export",
            )


async def forget_old(_job: Job) -> None:
    """The files whose time is over, with their rows."""
    while True:
        async with transaction():
            rows = await fetch(_OVER.bind(now=clock.now(), most=50))
            gone = [row["id"] for row in rows]
            if not gone:
                return
            await execute(_FORGET_PARTS.bind(ids=gone))
            await execute(_FORGET.bind(ids=gone))


def _sink(export_id: UUID) -> Parts:
    return Parts(
        lambda position, body: _ADD_PART.bind(id=ids.new_id(), export_id=export_id, position=position, body=body)
    )


async def _asker(user_id: UUID, customer_id: UUID) -> Asker:
    """Read again when it is made: who lost the role meanwhile gets no copy."""
    row = await fetch_one(_MEMBER.bind(user_id=user_id, customer_id=customer_id))
    if row is None:
        raise LookupError("this person does not belong to the account any more")
    lines = row["service_ids"]
    return Asker(user_id, customer_id, Role(row["role"]), None if lines is None else frozenset(lines))


async def _write_section(archive: zipfile.ZipFile, sink: Parts, section: Section, asker: Asker, at: Any) -> None:
    info = zipfile.ZipInfo(f"{section.file}.json", at)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w") as file:
        file.write(b"[")
        first = True
        async for rows in _rows(section, asker):
            for row in rows:
                file.write(b"\n" if first else b",\n")
                file.write(json.dumps(row, default=_plain, ensure_ascii=False).encode("utf-8", "replace"))
                first = False
            await sink.flush_full()
        file.write(b"\n]\n")
    await sink.flush_full()


async def _rows(section: Section, asker: Asker) -> AsyncIterator[list[dict[str, Any]]]:
    statement = _STATEMENTS[section.file]
    after: UUID | str = "" if section.text_key else UUID(int=0)
    asked: dict[str, Any] = {"most": ROWS_AT_ONCE}
    for name in ("user_id", "customer_id"):
        if f":{name}" in section.where or any(f":{name}" in each for each in section.shown_as.values()):
            asked[name] = getattr(asker, name)
    while rows := await fetch(statement.bind(**asked, after=after)):
        after = rows[-1]["row_key"]
        yield [_shown(row) for row in rows if _covers(asker, row)]


def _covers(asker: Asker, row: dict[str, Any]) -> bool:
    line = row.get("row_service")
    return asker.service_ids is None or line is None or str(line) in asker.service_ids


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("row_key", "row_service")}


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)


def _select(section: Section) -> str:
    columns = [f'{section.shown_as.get(name, f"t.{name}")} AS "{name}"' for name in section.columns]
    columns.append(f"t.{section.key} AS row_key")
    if section.service:
        columns.append(f"{section.service} AS row_service")
    return (
        f"SELECT {', '.join(columns)} FROM {section.table} t {section.joined} "
        f"WHERE {section.where} AND t.{section.key} > :after ORDER BY t.{section.key} LIMIT :most"
    )


def _about(asker: Asker) -> str:
    lines = [
        _("This is a copy of what we hold about you. Each file is a list in JSON; times are in UTC, amounts in the"),
        _("smallest unit of the currency (pence, cents)."),
        "",
        _("Not in it, and why:"),
        *_reasons(asker),
    ]
    return "\n".join(lines) + "\n"


def _reasons(asker: Asker) -> Iterable[str]:
    for section in SECTIONS:
        if section.needs is not None and section.needs not in RIGHTS_OF[asker.role]:
            yield f"- {section.file}: " + _("your role does not see it")
        elif section.withheld:
            yield "".join(f"- {section.file}, {name}: {reason}\n" for name, reason in section.withheld.items()).rstrip()
    for table, reason in LEFT_OUT.items():
        yield f"- {table}: {reason}"


_STATEMENTS = {
    section.file: Prepared.sql(_select(section), types=dict.fromkeys(section.json, as_json)) for section in SECTIONS
}
_LATEST = Prepared.sql(
    """
    SELECT id, state, size_bytes, asked_at, ready_at, expires_at FROM export
     WHERE user_id = :user_id AND customer_id = :customer_id ORDER BY asked_at DESC, id DESC LIMIT 1
    """
)
_ONE = Prepared.sql(
    """
    SELECT id, state, size_bytes, asked_at, ready_at, expires_at FROM export
     WHERE id = :id AND user_id = :user_id AND customer_id = :customer_id
    """
)
_ADD = Prepared.sql(
    """
    INSERT INTO export (id, user_id, customer_id, state, asked_at, expires_at)
    VALUES (:id, :user_id, :customer_id, 'asked', :now, :expires_at) ON CONFLICT DO NOTHING RETURNING id
    """
)
_ASKED = Prepared.sql("SELECT user_id, customer_id FROM export WHERE id = :id AND state = 'asked'")
_READY = Prepared.sql(
    """
    SELECT customer_id, size_bytes FROM export
     WHERE id = :id AND user_id = :user_id AND state = 'ready' AND expires_at > :now
    """
)
_PART = Prepared.sql("SELECT body FROM export_part WHERE export_id = :export_id AND position = :position")
_ADD_PART = Prepared.sql(
    "INSERT INTO export_part (id, export_id, position, body) VALUES (:id, :export_id, :position, :body)"
)
_DONE = Prepared.sql(
    """
    UPDATE export SET state = 'ready', size_bytes = :size, ready_at = :now, expires_at = :expires_at
     WHERE id = :id AND state = 'asked' RETURNING id
    """
)
_FAILED = Prepared.sql("UPDATE export SET state = 'failed' WHERE id = :id AND state = 'asked' RETURNING id")
_FORGET_PARTS = Prepared.sql("DELETE FROM export_part WHERE export_id IN :ids")
_OVER = Prepared.sql("SELECT id FROM export WHERE expires_at <= :now ORDER BY expires_at LIMIT :most")
_FORGET = Prepared.sql("DELETE FROM export WHERE id IN :ids")
_MEMBER = Prepared.sql(
    """
    SELECT role, service_ids FROM membership
     WHERE user_id = :user_id AND customer_id = :customer_id AND accepted_at IS NOT NULL AND removed_at IS NULL
    """,
    types={"service_ids": as_json},
)
_BILLS = Prepared.sql(
    """
    SELECT id, number FROM invoice
     WHERE customer_id = :customer_id AND state <> 'draft' AND id > :after ORDER BY id LIMIT :most
    """
)
