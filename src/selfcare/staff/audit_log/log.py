"""Searching the audit log of all customers, and taking it along as CSV. Both are written down themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit import queries
from selfcare.audit.events import PACKAGES, Event
from selfcare.audit.queries import BEGINNING, END, Entry, Page
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.kernel.place import Place

PER_READ = 500

_PERSON = Prepared.sql("SELECT id FROM app_user WHERE lower(email) = lower(:email)")
_CUSTOMER = Prepared.sql("SELECT id FROM customer WHERE number = :number")
_NAMES = Prepared.sql("SELECT id, display_name, email FROM app_user WHERE id IN :ids")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for. None: any. `until` is not included."""

    packages: frozenset[str] = frozenset()
    person: UUID | None = None
    customer: UUID | None = None
    grant: UUID | None = None
    since: datetime = BEGINNING
    until: datetime = END
    after: Place | None = None


async def find_person(email: str) -> UUID | None:
    row = await fetch_one(_PERSON.bind(email=email))
    return row["id"] if row else None


async def find_customer(number: str) -> UUID | None:
    row = await fetch_one(_CUSTOMER.bind(number=number))
    return row["id"] if row else None


async def show(identity: Identity, wanted: Wanted) -> tuple[Page, dict[UUID, str]]:
    """A page of 25, the newest first, and who is who in it."""
    async with transaction():
        await audit.record(identity, Event.STAFF_AUDIT_VIEWED)
    found = await _read(wanted, 25)
    return found, await _names(found.entries)


async def download(identity: Identity, wanted: Wanted) -> AsyncIterator[tuple[Entry, dict[UUID, str]]]:
    """Everything that was asked for, read page by page while it is sent. Raises limits.TooOften, at once."""
    await limits.claim(limits.FILES_BY_USER, str(identity.user_id))
    async with transaction():
        await audit.record(identity, Event.STAFF_AUDIT_VIEWED, exported=True)
    return _all(wanted)


async def _all(wanted: Wanted) -> AsyncIterator[tuple[Entry, dict[UUID, str]]]:
    while True:
        found = await _read(wanted, PER_READ)
        names = await _names(found.entries)
        for entry in found.entries:
            yield entry, names
        if found.next is None:
            return
        wanted = replace(wanted, after=found.next)


async def _read(wanted: Wanted, limit: int) -> Page:
    return await queries.search(
        packages=wanted.packages or PACKAGES,
        person=wanted.person,
        customer=wanted.customer,
        grant=wanted.grant,
        since=wanted.since,
        until=wanted.until,
        after=wanted.after,
        limit=limit,
    )


async def _names(entries: list[Entry]) -> dict[UUID, str]:
    ids = {who for entry in entries for who in (entry.actor_id, entry.user_id) if who is not None}
    rows = await fetch(_NAMES.bind(ids=sorted(ids))) if ids else []
    return {row["id"]: row["display_name"] or row["email"] for row in rows}
