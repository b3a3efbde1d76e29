"""What the Activity page and the staff's audit page show of the log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from selfcare.audit.events import INTERNAL, PACKAGES, of_packages
from selfcare.db.engine import Row
from selfcare.db.prepared import Bound, Prepared, as_json, as_moment, as_uuid, fetch
from selfcare.kernel.place import Place
from selfcare.kernel.values import value

BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)
LAST_ID = UUID(int=2**128 - 1)


@value
class Entry:
    id: UUID
    at: datetime
    event: str
    outcome: str
    about: str | None
    actor_id: UUID | None
    user_id: UUID | None
    grant_id: UUID | None
    customer_id: UUID | None
    address: str
    country: str | None
    device: str
    request_id: str
    details: Mapping[str, Any]


@value
class Page:
    entries: list[Entry]
    next: Place | None


async def list_of_customer(customer_id: UUID, *, limit: int = 25, **wanted: Any) -> Page:
    """What `of_customer` asks for."""
    return page_of(await fetch(of_customer(customer_id, limit=limit, **wanted), short=True), limit)


def of_customer(
    customer_id: UUID,
    *,
    user_id: UUID | None = None,
    everybody: bool = True,
    packages: frozenset[str] = frozenset(),
    since: datetime = BEGINNING,
    until: datetime = END,
    after: Place | None = None,
    limit: int = 25,
) -> Bound:
    """Newest first: what happened at this customer and, with `user_id`, this person's own sign-ins.

    `packages` empty means every feature; `until` is not included. Without `everybody` what other people did is left
    out; what nobody in particular did stays. For screens that read several things in one snapshot: `page_of` turns the
    answer into a page.
    """
    asked = {
        "customer": customer_id,
        "events": of_packages((packages or PACKAGES) - INTERNAL),
        "since": since,
        "until": until,
        "at": after.at if after else END,
        "id": after.id if after else LAST_ID,
        "most": limit + 1,
    }
    if user_id is None:
        return OF_CUSTOMER.bind(**asked)
    return (OF_CUSTOMER_AND_USER if everybody else OF_USER).bind(**asked, user=user_id)


async def list_all(
    *,
    packages: frozenset[str] = frozenset(),
    since: datetime = BEGINNING,
    until: datetime = END,
    after: Place | None = None,
    limit: int = 25,
) -> Page:
    """For staff who may see the audit log: every chain, newest first."""
    asked = OF_ALL.bind(
        events=of_packages(packages or PACKAGES),
        since=since,
        until=until,
        at=after.at if after else END,
        id=after.id if after else LAST_ID,
        most=limit + 1,
    )
    return await _page(asked, limit)


async def search(
    *,
    packages: frozenset[str],
    person: UUID | None = None,
    customer: UUID | None = None,
    grant: UUID | None = None,
    since: datetime = BEGINNING,
    until: datetime = END,
    after: Place | None = None,
    limit: int = 25,
) -> Page:
    """As `list_all`, by who acted or whose account it was, by customer, by visit. None: any."""
    asked = {
        "events": of_packages(packages),
        "since": since,
        "until": until,
        "at": after.at if after else END,
        "id": after.id if after else LAST_ID,
        "most": limit + 1,
        "any_person": 1 if person is None else 0,
        "person": person or LAST_ID,
        "any_grant": 1 if grant is None else 0,
        "grant": grant or LAST_ID,
    }
    if customer is None:
        return await _page(SEARCH.bind(**asked), limit)
    return await _page(SEARCH_AT_CUSTOMER.bind(**asked, customer=customer), limit)


async def _page(asked: Bound, limit: int, *, short: bool = False) -> Page:
    return page_of(await fetch(asked, short=short), limit)


def page_of(rows: list[Row], limit: int) -> Page:
    entries = [_entry(row) for row in rows[:limit]]
    return Page(entries, Place(entries[-1].at, entries[-1].id) if len(rows) > limit else None)


def _entry(row: Row) -> Entry:
    return Entry(actor_id=row.pop("actor_user_id"), **row)


COLUMNS = """id, at, event, outcome, about, actor_user_id, user_id, grant_id, customer_id, address, country, device,
    request_id, details"""
TYPES = {
    "id": as_uuid,
    "at": as_moment,
    "actor_user_id": as_uuid,
    "user_id": as_uuid,
    "grant_id": as_uuid,
    "customer_id": as_uuid,
    "details": as_json,
}
FILTER = "event IN :events AND at >= :since AND at < :until AND (at, id) < (:at, :id)"
NEWEST = "ORDER BY at DESC, id DESC LIMIT :most"
AT_CUSTOMER = f"SELECT {COLUMNS} FROM audit_event WHERE customer_id = :customer AND {FILTER} {NEWEST}"
OF_CUSTOMER = Prepared.sql(AT_CUSTOMER, types=TYPES)
BY_USER = f"SELECT {COLUMNS} FROM audit_event WHERE customer_id IS NULL AND user_id = :user AND {FILTER} {NEWEST}"
OF_CUSTOMER_AND_USER = Prepared.sql(
    f"""
    SELECT * FROM (SELECT * FROM ({AT_CUSTOMER}) AS at_customer
    UNION ALL SELECT * FROM ({BY_USER}) AS by_user) AS both_of_them {NEWEST}
    """,
    types=TYPES,
)
OF_USER = Prepared.sql(
    f"""
    SELECT * FROM (SELECT * FROM (
        SELECT {COLUMNS} FROM audit_event
         WHERE customer_id = :customer AND (user_id = :user OR user_id IS NULL) AND {FILTER} {NEWEST}
    ) AS at_customer
    UNION ALL SELECT * FROM ({BY_USER}) AS by_user) AS both_of_them {NEWEST}
    """,
    types=TYPES,
)
OF_ALL = Prepared.sql(f"SELECT {COLUMNS} FROM audit_event WHERE {FILTER} {NEWEST}", types=TYPES)
NARROWED = f"""{FILTER} AND (:any_person = 1 OR actor_user_id = :person OR user_id = :person)
    AND (:any_grant = 1 OR grant_id = :grant)"""
SEARCH = Prepared.sql(f"SELECT {COLUMNS} FROM audit_event WHERE {NARROWED} {NEWEST}", types=TYPES)
SEARCH_AT_CUSTOMER = Prepared.sql(
    f"SELECT {COLUMNS} FROM audit_event WHERE customer_id = :customer AND {NARROWED} {NEWEST}", types=TYPES
)
