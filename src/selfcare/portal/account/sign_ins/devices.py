"""The browsers a person is signed in with, and phones that would sign them in again by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_many
from selfcare.identity import sessions
from selfcare.identity.identity import Identity
from selfcare.kernel import agents, clock, ids
from selfcare.kernel.errors import NotFound

_OPEN = Prepared.sql(
    """
    SELECT public_id, id_hash, created_at, last_seen_at, ends_at, idle_seconds, address, device, shared_device
      FROM session
     WHERE user_id = :user_id AND revoked_at IS NULL AND ends_at > :now
     ORDER BY last_seen_at DESC, public_id LIMIT 100
    """
)
_KEPT = Prepared.sql(
    """
    SELECT series, rotated_at, expires_at, device FROM remembered_sign_in
     WHERE user_id = :user_id AND revoked_at IS NULL AND expires_at > :now
     ORDER BY rotated_at DESC, series LIMIT 100
    """
)
_END = Prepared.sql(
    """
    UPDATE session SET revoked_at = :now
     WHERE public_id = :id AND user_id = :user_id AND id_hash <> :own AND revoked_at IS NULL
    RETURNING device
    """
)
_FORGET_DEVICE = Prepared.sql(
    """
    UPDATE remembered_sign_in SET revoked_at = :now
     WHERE user_id = :user_id AND device = :device AND series <> :own AND revoked_at IS NULL
    """
)
_FORGET = Prepared.sql(
    "UPDATE remembered_sign_in SET revoked_at = :now "
    "WHERE user_id = :user_id AND series = :series AND revoked_at IS NULL RETURNING series"
)
_FORGET_OTHERS = Prepared.sql(
    "UPDATE remembered_sign_in SET revoked_at = :now "
    "WHERE user_id = :user_id AND series <> :own AND revoked_at IS NULL RETURNING series"
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """An open sign-in as a person would recognise it."""

    id: UUID
    device: str
    address: str
    since: datetime
    last_seen_at: datetime
    is_this_one: bool
    shared_device: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A phone that stays signed in: it opens a new sign-in by itself until it is forgotten."""

    series: str
    device: str
    last_used_at: datetime
    until: datetime
    is_this_one: bool


@dataclass(frozen=True, slots=True)
class Devices:
    sign_ins: list[SignIn]
    kept: list[Kept]

    @property
    def has_others(self) -> bool:
        sign_ins = any(not one.is_this_one for one in self.sign_ins)
        return sign_ins or any(not one.is_this_one for one in self.kept)


async def devices(identity: Identity, remember_cookie: str) -> Devices:
    """Of the person at the keyboard. `remember_cookie` tells which of the kept phones this one is."""
    now, own = clock.now(), series_of(remember_cookie)
    opened, kept = await fetch_many(
        _OPEN.bind(user_id=identity.actor_id, now=now), _KEPT.bind(user_id=identity.actor_id, now=now)
    )
    return Devices(
        [_sign_in(row, identity) for row in opened if _is_awake(row, now)],
        [
            Kept(row["series"], agents.named(row["device"]), row["rotated_at"], row["expires_at"], row["series"] == own)
            for row in kept
        ],
    )


async def end(identity: Identity, sign_in_id: UUID, remember_cookie: str) -> None:
    """End one other sign-in, and what would bring that browser back by itself. Raises NotFound."""
    async with transaction():
        now = clock.now()
        about = {"now": now, "user_id": identity.actor_id}
        rows = await execute(_END.bind(id=sign_in_id, own=identity.session_id, **about))
        if not rows:
            raise NotFound
        await execute(_FORGET_DEVICE.bind(device=rows[0]["device"], own=series_of(remember_cookie), **about))
        await audit.record(identity, Event.ACCOUNT_SESSION_ENDED, session=sign_in_id)


async def forget(identity: Identity, series: str) -> None:
    """A phone shall ask for the password again. Raises NotFound."""
    async with transaction():
        if not await execute(_FORGET.bind(now=clock.now(), user_id=identity.actor_id, series=series)):
            raise NotFound
        await audit.record(identity, Event.ACCOUNT_SESSION_ENDED)


async def end_others(identity: Identity, remember_cookie: str) -> int:
    """How many sign-ins ended; this one stays, and so does what keeps this browser signed in."""
    async with transaction():
        ended = await sessions.revoke_all(identity.actor_id, but=identity.session_id)
        own = series_of(remember_cookie)
        await execute(_FORGET_OTHERS.bind(now=clock.now(), user_id=identity.actor_id, own=own))
        await audit.record(identity, Event.ACCOUNT_SESSIONS_ENDED, count=ended)
    return ended


def series_of(remember_cookie: str) -> str:
    series = remember_cookie.partition(".")[0]
    return ids.token_hash(series) if series else ""


def _is_awake(row: dict[str, Any], now: datetime) -> bool:
    return bool(now - row["last_seen_at"] < timedelta(seconds=row["idle_seconds"]))


def _sign_in(row: dict[str, Any], identity: Identity) -> SignIn:
    return SignIn(
        id=row["public_id"],
        device=agents.named(row["device"]),
        address=row["address"],
        since=row["created_at"],
        last_seen_at=row["last_seen_at"],
        is_this_one=row["id_hash"] == identity.session_id,
        shared_device=row["shared_device"],
    )
