"""Sign-ins: opened, recognised, kept awake, ended.

The cookie holds 256 random bits, the row their SHA-256. Every write names the state it expects, so a slow request
can never bring a closed sign-in back to life.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, execute, fetch_one
from selfcare.identity.identity import CustomerScope, Identity, Person
from selfcare.identity.rights import RIGHTS_OF, Role, staff_rights
from selfcare.identity.tables import Session
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import NotFound
from selfcare.kernel.origin import Origin
from selfcare.kernel.values import value
from selfcare.settings import Settings

SEEN_EVERY = timedelta(minutes=1)
KEPT_FOR = timedelta(days=90)
SHARED_IDLE = timedelta(minutes=10)


@value
class Limits:
    """How long a sign-in lasts without a click, and at all."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(timedelta(minutes=settings.session_idle_minutes), timedelta(hours=settings.session_absolute_hours))

    def idle_on(self, *, shared_device: bool) -> timedelta:
        return min(self.idle, SHARED_IDLE) if shared_device else self.idle


@value
class Recognised:
    """What a cookie turned out to be: a living sign-in, or one that ran out (whose person may get a form back)."""

    identity: Identity | None
    last_seen_at: datetime | None = None
    expired_user_id: UUID | None = None


_BY_HASH = Prepared.sql(
    """
    SELECT s.id_hash AS id_hash, s.created_at AS created_at, s.last_seen_at AS last_seen_at, s.proved_at AS proved_at,
           s.idle_seconds AS idle_seconds, s.ends_at AS ends_at, s.shared_device AS shared_device,
           u.id AS user_id, u.display_name AS display_name, u.email AS email, u.email_verified_at AS email_verified_at,
           u.language AS language, u.theme AS theme, u.zone AS own_zone,
           CASE WHEN u.totp_secret IS NOT NULL THEN 1
                WHEN EXISTS (SELECT 1 FROM passkey p WHERE p.user_id = u.id AND p.removed_at IS NULL) THEN 1
                ELSE 0 END AS has_second_step,
           u.second_step_asked_at AS second_step_asked_at, u.staff_rights AS staff_rights, u.disabled_at AS disabled_at,
           m.role AS role, m.service_ids AS service_ids,
           c.id AS customer_id, c.number AS customer_number, c.name AS customer_name, c.type AS customer_type,
           c.status AS customer_status, c.pays AS pays, c.currency AS currency, c.zone AS zone, c.enabled AS enabled,
           (SELECT count(*) FROM membership n
             WHERE n.user_id = u.id AND n.removed_at IS NULL AND n.accepted_at IS NOT NULL) AS customers
      FROM session s
      JOIN app_user u ON u.id = s.user_id
      LEFT JOIN membership m ON m.user_id = s.user_id AND m.customer_id = s.customer_id
                            AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL
      LEFT JOIN customer c ON c.id = m.customer_id AND c.status <> 'archived'
     WHERE s.id_hash = :id_hash AND s.revoked_at IS NULL
    """,
    types={"staff_rights": as_json, "service_ids": as_json},
)

_FIRST_CUSTOMER = Prepared.sql(
    """
    SELECT m.customer_id AS customer_id
      FROM membership m JOIN customer c ON c.id = m.customer_id
     WHERE m.user_id = :user_id AND m.removed_at IS NULL AND m.accepted_at IS NOT NULL AND c.status <> 'archived'
     ORDER BY m.accepted_at, m.id
     LIMIT 1
    """
)


async def open_session(
    user_id: UUID,
    origin: Origin,
    *,
    limits: Limits,
    customer_id: UUID | None = None,
    proved: bool = True,
    shared_device: bool = False,
) -> str:
    """A new sign-in, inside the caller's transaction; the token for the cookie, told once and stored nowhere."""
    token = ids.token()
    now = clock.now()
    if customer_id is None:
        first = await fetch_one(_FIRST_CUSTOMER.bind(user_id=user_id))
        customer_id = first["customer_id"] if first else None
    idle = limits.idle_on(shared_device=shared_device)
    await Session.insert(
        Session(
            id_hash=ids.token_hash(token),
            public_id=ids.new_id(),
            user_id=user_id,
            customer_id=customer_id,
            created_at=now,
            last_seen_at=now,
            proved_at=now if proved else None,
            idle_seconds=int(idle.total_seconds()),
            ends_at=now + limits.absolute,
            shared_device=shared_device,
            address=origin.address[:64],
            device=origin.device[:200],
        )
    )
    return token


async def recognise(token: str, origin: Origin) -> Recognised:
    """Who a cookie belongs to. Unknown, revoked and disabled are all simply nobody."""
    row = await fetch_one(_BY_HASH.bind(id_hash=ids.token_hash(token)), short=True)
    if row is None or row["disabled_at"] is not None:
        return Recognised(None)
    now = clock.now()
    if now >= row["ends_at"] or now - row["last_seen_at"] >= timedelta(seconds=row["idle_seconds"]):
        return Recognised(None, expired_user_id=row["user_id"])
    return Recognised(_identity(row, origin), last_seen_at=row["last_seen_at"])


async def touch(session_id: str, *, now: datetime) -> None:
    """Note that somebody is there; at most once a minute, never for polling. Inside a transaction."""
    await (
        Session.update({Session.last_seen_at: now})
        .where(Session.id_hash == session_id)
        .where(Session.revoked_at.is_null())
        .where(Session.last_seen_at < now)
    )


_RENEW = Prepared.sql(
    """
    UPDATE session SET id_hash = :new, proved_at = :now
     WHERE id_hash = :old AND revoked_at IS NULL
    RETURNING id_hash
    """
)


async def renew(session_id: str, token: str) -> None:
    """The same sign-in under a new token, proved now. Inside a transaction; NotFound when it was ended meanwhile."""
    if not await execute(_RENEW.bind(old=session_id, new=ids.token_hash(token), now=clock.now())):
        raise NotFound


async def revoke(session_id: str) -> bool:
    """End one sign-in; False when it was already over. Inside a transaction."""
    ended = await (
        Session.update({Session.revoked_at: clock.now()})
        .where(Session.id_hash == session_id)
        .where(Session.revoked_at.is_null())
        .returning(Session.id_hash)
    )
    return bool(ended)


async def revoke_all(user_id: UUID, *, but: str | None = None) -> int:
    """End every sign-in of a person, optionally all but one. Inside a transaction; how many ended."""
    query = (
        Session.update({Session.revoked_at: clock.now()})
        .where(Session.user_id == user_id)
        .where(Session.revoked_at.is_null())
    )
    if but is not None:
        query = query.where(Session.id_hash != but)
    return len(await query.returning(Session.id_hash))


async def forget_old() -> int:
    """Sign-ins that were over 90 days ago. Inside a transaction."""
    gone = await Session.delete().where(Session.ends_at < clock.now() - KEPT_FOR).returning(Session.id_hash)
    return len(gone)


def _identity(row: dict[str, Any], origin: Origin) -> Identity:
    person = Person(
        id=row["user_id"],
        name=row["display_name"] or row["email"],
        email=row["email"],
        email_verified=row["email_verified_at"] is not None,
        language=row["language"],
        theme=row["theme"],
        zone=row["own_zone"],
    )
    role = Role(row["role"]) if row["customer_id"] is not None else None
    return Identity(
        user=person,
        actor=person,
        scope=scope_of(row) if role else None,
        role=role,
        rights=RIGHTS_OF[role] if role else frozenset(),
        staff_rights=staff_rights(row["staff_rights"]),
        session_id=row["id_hash"],
        session_created_at=row["created_at"],
        proved_at=row["proved_at"],
        origin=origin,
        customers=row["customers"],
        shared_device=row["shared_device"],
        has_second_step=bool(row["has_second_step"]),
        second_step_asked_at=row["second_step_asked_at"],
    )


def scope_of(row: dict[str, Any]) -> CustomerScope:
    only = row["service_ids"]
    return CustomerScope(
        customer_id=row["customer_id"],
        customer_number=row["customer_number"],
        customer_name=row["customer_name"],
        customer_type=row["customer_type"],
        customer_status=row["customer_status"],
        pays=row["pays"],
        currency=row["currency"],
        zone=row["zone"],
        service_ids=None if only is None else frozenset(UUID(one) for one in only),
    )
