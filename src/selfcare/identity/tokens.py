"""Links that work once: 256 random bits in a mail, their hash with purpose and expiry in the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from selfcare.db.prepared import Prepared, as_json, execute, fetch_one
from selfcare.identity.tables import OneTimeToken
from selfcare.kernel import clock, ids


class Purpose(StrEnum):
    """What a link is for; one for another purpose opens nothing."""

    RESET = "reset"
    VERIFY_EMAIL = "verify_email"
    CANCEL_EMAIL = "cancel_email"
    INVITATION = "invitation"
    DISOWN = "disown"
    EXPORT = "export"
    CANCEL_ERASURE = "cancel_erasure"
    RESET_SECOND_FACTOR = "reset_second_factor"
    CHALLENGE = "challenge"
    PASSKEY = "passkey"
    SIGN_UP = "sign_up"
    SIGN_UP_LINK = "sign_up_link"


LIFE = {
    Purpose.RESET: timedelta(hours=1),
    Purpose.VERIFY_EMAIL: timedelta(hours=24),
    Purpose.CANCEL_EMAIL: timedelta(hours=72),
    Purpose.INVITATION: timedelta(days=7),
    Purpose.DISOWN: timedelta(days=7),
    Purpose.EXPORT: timedelta(days=7),
    Purpose.CANCEL_ERASURE: timedelta(days=14),
    Purpose.RESET_SECOND_FACTOR: timedelta(minutes=15),
    Purpose.CHALLENGE: timedelta(minutes=10),
    Purpose.PASSKEY: timedelta(minutes=5),
    Purpose.SIGN_UP: timedelta(minutes=10),
    Purpose.SIGN_UP_LINK: timedelta(hours=24),
}


@dataclass(frozen=True, slots=True)
class Token:
    """What a living link says."""

    hash: str
    user_id: UUID | None
    data: Mapping[str, Any]


_PEEK = Prepared.sql(
    """
    SELECT hash, user_id, data FROM one_time_token
     WHERE hash = :hash AND purpose = :purpose AND used_at IS NULL AND expires_at > :now
    """,
    types={"data": as_json},
)
_BURN = Prepared.sql(
    """
    UPDATE one_time_token SET used_at = :now
     WHERE hash = :hash AND purpose = :purpose AND used_at IS NULL AND expires_at > :now
    RETURNING hash, user_id, data
    """,
    types={"data": as_json},
)
_KILL = Prepared.sql(
    "UPDATE one_time_token SET used_at = :now WHERE user_id = :user_id AND purpose IN :purposes AND used_at IS NULL "
    "RETURNING hash"
)
_FORGET = Prepared.sql("DELETE FROM one_time_token WHERE expires_at < :before RETURNING hash")


async def issue(
    purpose: Purpose, *, user_id: UUID | None, data: Mapping[str, Any] | None = None, life: timedelta | None = None
) -> str:
    """A new link's token, told once. Inside a transaction."""
    token = ids.token()
    now = clock.now()
    await OneTimeToken.insert(
        OneTimeToken(
            hash=ids.token_hash(token),
            purpose=purpose,
            user_id=user_id,
            data=dict(data or {}),
            created_at=now,
            expires_at=now + (life or LIFE[purpose]),
        )
    )
    return token


async def peek(token: str, purpose: Purpose) -> Token | None:
    """The link, if it still works. Looking does not use it up: mail scanners look."""
    row = await fetch_one(_PEEK.bind(hash=ids.token_hash(token), purpose=purpose.value, now=clock.now()))
    return Token(**row) if row else None


async def burn(token: str, purpose: Purpose) -> Token | None:
    """Use it up; None for all but the first. Inside a transaction."""
    rows = await execute(_BURN.bind(hash=ids.token_hash(token), purpose=purpose.value, now=clock.now()))
    return Token(**rows[0]) if rows else None


async def kill(user_id: UUID, *purposes: Purpose) -> int:
    """Make open links useless, as after a password change. Inside a transaction."""
    chosen = [purpose.value for purpose in purposes or Purpose]
    return len(await execute(_KILL.bind(user_id=user_id, purposes=chosen, now=clock.now())))


async def forget_old() -> int:
    """Links that ended a week ago. Inside a transaction."""
    return len(await execute(_FORGET.bind(before=clock.now() - timedelta(days=7))))
