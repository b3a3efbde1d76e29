"""Support visits: a staff member sees one customer's portal for a while, and everybody can see that they did.

The grant's id stands in the address and opens nothing by itself: it works only with the very sign-in it was opened in,
while that person still has the right, and only as long as the customer's own person could sign in.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Bound, Prepared, as_json, execute, fetch, fetch_one
from selfcare.identity.identity import GrantInUse, Identity, Person
from selfcare.identity.rights import RIGHTS_OF, Role, StaffRight
from selfcare.identity.sessions import scope_of
from selfcare.identity.tables import Grant
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict
from selfcare.kernel.origin import Origin
from selfcare.kernel.values import value
from selfcare.kernel.words import _

IDLE = timedelta(minutes=15)
LONGEST = timedelta(minutes=60)
SEEN_EVERY = timedelta(minutes=1)
SHORTEST_REASON = 10
MOST_OPEN = 20

StoppedBy: TypeAlias = Literal["staff", "customer", "time", "right"]

_USE = Prepared.sql(
    """
    SELECT g.id AS grant_id, g.reason AS reason, g.allowed AS allowed, g.started_at AS started_at, g.ends_at AS ends_at,
           g.last_seen_at AS last_seen_at, g.stopped_at AS stopped_at, g.stopped_by AS stopped_by,
           g.customer_id AS granted_customer_id, g.user_id AS user_id, s.id_hash AS id_hash,
           u.display_name AS display_name, u.email AS email, u.email_verified_at AS email_verified_at,
           u.language AS language, u.theme AS theme, u.disabled_at AS disabled_at,
           CASE WHEN u.staff_rights IS NULL THEN 0 ELSE 1 END AS is_staff,
           m.role AS role, m.service_ids AS service_ids,
           c.id AS customer_id, c.number AS customer_number, c.name AS customer_name, c.type AS customer_type,
           c.status AS customer_status, c.pays AS pays, c.currency AS currency, c.zone AS zone
      FROM impersonation_grant g
      JOIN app_user u ON u.id = g.user_id
      LEFT JOIN session s ON s.public_id = g.session_id AND s.revoked_at IS NULL
      LEFT JOIN membership m ON m.user_id = g.user_id AND m.customer_id = g.customer_id AND m.removed_at IS NULL
                            AND m.accepted_at IS NOT NULL
      LEFT JOIN customer c ON c.id = m.customer_id AND c.status <> 'archived'
     WHERE g.id = :id AND g.staff_user_id = :staff
    """,
    types={"allowed": as_json, "service_ids": as_json},
)
_SESSION = Prepared.sql("SELECT public_id FROM session WHERE id_hash = :id_hash AND revoked_at IS NULL")
_TOUCH = Prepared.sql(
    "UPDATE impersonation_grant SET last_seen_at = :now WHERE id = :id AND stopped_at IS NULL AND last_seen_at < :now"
)
_STOP = Prepared.sql(
    """
    UPDATE impersonation_grant SET stopped_at = :now, stopped_by = :by WHERE id = :id AND stopped_at IS NULL
    RETURNING staff_user_id, user_id, customer_id
    """
)
_COLUMNS = """g.id AS id, g.staff_user_id AS staff_user_id, g.user_id AS user_id, g.customer_id AS customer_id,
    g.reason AS reason, g.ticket AS ticket, g.started_at AS started_at, g.ends_at AS ends_at,
    g.last_seen_at AS last_seen_at, g.stopped_at AS stopped_at, g.stopped_by AS stopped_by,
    u.display_name AS person, c.name AS customer, c.number AS customer_number, f.display_name AS staff"""
_FROM = """impersonation_grant g JOIN app_user u ON u.id = g.user_id JOIN customer c ON c.id = g.customer_id
    JOIN app_user f ON f.id = g.staff_user_id"""
_IS_OPEN = "g.stopped_at IS NULL AND g.ends_at > :now AND g.last_seen_at > :idle"
_OPEN_OF_STAFF = Prepared.sql(
    f"""
    SELECT {_COLUMNS} FROM {_FROM} JOIN session s ON s.public_id = g.session_id AND s.revoked_at IS NULL
     WHERE g.staff_user_id = :staff AND {_IS_OPEN} ORDER BY g.started_at DESC LIMIT 50
    """
)
_OPEN_AT_CUSTOMER = Prepared.sql(
    f"""
    SELECT {_COLUMNS} FROM {_FROM} JOIN session s ON s.public_id = g.session_id AND s.revoked_at IS NULL
     WHERE g.customer_id = :customer AND {_IS_OPEN} ORDER BY g.started_at DESC LIMIT 50
    """
)
_ONE = Prepared.sql(f"SELECT {_COLUMNS} FROM {_FROM} WHERE g.id = :id AND g.staff_user_id = :staff")
_OVERDUE = Prepared.sql(
    """
    SELECT g.id AS id, g.user_id AS user_id, g.staff_user_id AS staff_user_id,
           CASE WHEN g.ends_at <= :now OR g.last_seen_at <= :idle THEN 'time'
                WHEN f.disabled_at IS NOT NULL THEN 'right' ELSE 'staff' END AS stopped_by
      FROM impersonation_grant g
      JOIN app_user f ON f.id = g.staff_user_id
      LEFT JOIN session s ON s.public_id = g.session_id AND s.revoked_at IS NULL AND s.ends_at > :now
     WHERE g.stopped_at IS NULL
       AND (g.ends_at <= :now OR g.last_seen_at <= :idle OR s.id_hash IS NULL OR f.disabled_at IS NOT NULL)
     ORDER BY g.ends_at LIMIT 500
    """
)


@value
class Visit:
    """A grant as pages show it."""

    id: UUID
    staff_user_id: UUID
    user_id: UUID
    customer_id: UUID
    reason: str
    ticket: str | None
    started_at: datetime
    ends_at: datetime
    last_seen_at: datetime
    stopped_at: datetime | None
    stopped_by: str | None
    person: str
    customer: str
    customer_number: str
    staff: str

    @property
    def is_open(self) -> bool:
        now = clock.now()
        return self.stopped_at is None and now < self.ends_at and now - self.last_seen_at < IDLE


@value
class Recognised:
    """What the grant in an address is: a visit that goes on, one that is over (and why), or nothing to this person."""

    identity: Identity | None = None
    over: str | None = None
    last_seen_at: datetime | None = None


async def open_visit(
    staff: Identity, *, user_id: UUID, customer_id: UUID, reason: str, ticket: str | None, allowed: Iterable[str]
) -> UUID:
    """Inside a transaction, written down before the first page. Whether the person may be looked at is asked before.

    Raises Conflict where the sign-in ended meanwhile or too many visits are open.
    """
    session = await fetch_one(_SESSION.bind(id_hash=staff.session_id))
    if session is None:
        raise Conflict(_("Your sign-in ended meanwhile. Sign in again."))
    if len(await fetch(_open_of(staff.actor_id))) >= MOST_OPEN:
        raise Conflict(_("Too many visits are open. Stop one first."))
    now, grant_id = clock.now(), ids.new_id()
    actions = sorted(allowed)
    await Grant.insert(
        Grant(
            id=grant_id,
            staff_user_id=staff.actor_id,
            session_id=session["public_id"],
            user_id=user_id,
            customer_id=customer_id,
            reason=reason,
            ticket=ticket,
            allowed=actions,
            started_at=now,
            ends_at=now + LONGEST,
            last_seen_at=now,
        )
    )
    who = audit.Actor(staff.actor_id, user_id, grant_id, customer_id, staff.origin)
    await audit.record(who, Event.AS_OPENED, about=grant_id, reason=reason, ticket=ticket, allowed=actions or None)
    return grant_id


async def recognise(grant_id: UUID, staff: Identity) -> Recognised:
    """Whose portal a request under this grant sees. A visit that must not go on is stopped here and now."""
    row = await fetch_one(_USE.bind(id=grant_id, staff=staff.actor_id), short=True)
    if row is None or staff.is_impersonating:
        return Recognised()
    if row["stopped_by"] is not None:
        return Recognised(over=row["stopped_by"])
    if why := _why_over(row, staff):
        await stop(grant_id, why, staff.origin, actor_id=staff.actor_id if why == "staff" else None)
        return Recognised(over=why)
    return Recognised(_identity(row, staff), last_seen_at=row["last_seen_at"])


async def touch(grant_id: UUID, *, now: datetime) -> None:
    """Note that somebody is there; at most once a minute, never for polling. Inside a transaction."""
    await execute(_TOUCH.bind(id=grant_id, now=now))


async def stop(grant_id: UUID, by: StoppedBy, origin: Origin = audit.NOWHERE, *, actor_id: UUID | None = None) -> bool:
    """Everywhere at once; False when it was over already."""
    async with transaction():
        return await stop_here(grant_id, by, origin, actor_id=actor_id)


async def stop_here(
    grant_id: UUID, by: StoppedBy, origin: Origin = audit.NOWHERE, *, actor_id: UUID | None = None
) -> bool:
    """As `stop`, inside the caller's transaction."""
    rows = await execute(_STOP.bind(id=grant_id, now=clock.now(), by=by))
    for row in rows:
        who = audit.Actor(actor_id, row["user_id"], grant_id, row["customer_id"], origin)
        await audit.record(who, Event.AS_STOPPED, about=grant_id, by=by)
    return bool(rows)


async def stop_overdue() -> int:
    """Visits that are over without anybody having pressed Stop, so that the customer reads when they ended."""
    now = clock.now()
    over = await fetch(_OVERDUE.bind(now=now, idle=now - IDLE))
    for row in over:
        await stop(row["id"], row["stopped_by"])
    return len(over)


async def list_open(staff: Identity) -> list[Visit]:
    """The visits this staff member has open."""
    return [Visit(**row) for row in await fetch(_open_of(staff.actor_id), short=True)]


async def list_open_at(customer_id: UUID) -> list[Visit]:
    """Who looks at this customer's account right now."""
    now = clock.now()
    asked = _OPEN_AT_CUSTOMER.bind(customer=customer_id, now=now, idle=now - IDLE)
    return [Visit(**row) for row in await fetch(asked, short=True)]


async def find(grant_id: UUID, staff: Identity) -> Visit | None:
    """One of one's own visits, open or over."""
    row = await fetch_one(_ONE.bind(id=grant_id, staff=staff.actor_id))
    return Visit(**row) if row else None


def _open_of(staff_user_id: UUID) -> Bound:
    now = clock.now()
    return _OPEN_OF_STAFF.bind(staff=staff_user_id, now=now, idle=now - IDLE)


def _why_over(row: Row, staff: Identity) -> StoppedBy | None:
    now = clock.now()
    if now >= row["ends_at"] or now - row["last_seen_at"] >= IDLE:
        return "time"
    if row["id_hash"] != staff.session_id:
        return "staff"
    gone = row["disabled_at"] is not None or row["is_staff"] or row["role"] is None or row["customer_id"] is None
    if gone or not staff.can(StaffRight.CAN_IMPERSONATE):
        return "right"
    return None


def _identity(row: Row, staff: Identity) -> Identity:
    role = Role(row["role"])
    return Identity(
        user=Person(
            id=row["user_id"],
            name=row["display_name"] or row["email"],
            email=row["email"],
            email_verified=row["email_verified_at"] is not None,
            language=row["language"],
            theme=row["theme"],
        ),
        actor=staff.actor,
        scope=scope_of(row),
        role=role,
        rights=RIGHTS_OF[role],
        staff_rights=frozenset(),
        session_id=staff.session_id,
        session_created_at=staff.session_created_at,
        proved_at=None,
        origin=staff.origin,
        grant=GrantInUse(
            id=row["grant_id"],
            reason=row["reason"],
            allowed=frozenset(row["allowed"]),
            started_at=row["started_at"],
            ends_at=row["ends_at"],
        ),
    )
