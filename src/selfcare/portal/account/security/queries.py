"""What the security page says in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from selfcare.db.prepared import Prepared, as_moment, fetch_many, fetch_one
from selfcare.kernel.errors import NotFound

_PERSON = Prepared.sql(
    """
    SELECT u.password_changed_at AS password_changed_at, u.created_at AS created_at,
           CASE WHEN u.totp_secret IS NULL THEN 0 ELSE 1 END AS app_on, u.totp_since AS app_since,
           (SELECT min(b.created_at) FROM backup_code b WHERE b.user_id = u.id) AS codes_made_at,
           (SELECT count(*) FROM backup_code b WHERE b.user_id = u.id AND b.used_at IS NULL) AS codes_left
      FROM app_user u WHERE u.id = :user_id
    """,
    types={"codes_made_at": as_moment},
)
_PASSKEYS = Prepared.sql(
    """
    SELECT id, name, created_at, last_used_at FROM passkey
     WHERE user_id = :user_id AND removed_at IS NULL ORDER BY created_at, id
    """
)


_PASSKEY = Prepared.sql(
    """
    SELECT id, name, created_at, last_used_at FROM passkey
     WHERE user_id = :user_id AND id = :passkey_id AND removed_at IS NULL
    """
)


@dataclass(frozen=True, slots=True)
class PasskeyRow:
    id: UUID
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    password_changed_at: datetime
    app_on: bool
    app_since: datetime | None
    codes_left: int
    codes_made_at: datetime | None
    passkeys: list[PasskeyRow]


async def overview(user_id: UUID) -> Overview:
    people, passkeys = await fetch_many(_PERSON.bind(user_id=user_id), _PASSKEYS.bind(user_id=user_id))
    person = people[0]
    return Overview(
        password_changed_at=person["password_changed_at"] or person["created_at"],
        app_on=bool(person["app_on"]),
        app_since=person["app_since"],
        codes_left=int(person["codes_left"]),
        codes_made_at=person["codes_made_at"],
        passkeys=[PasskeyRow(**row) for row in passkeys],
    )


async def passkey(user_id: UUID, passkey_id: UUID) -> PasskeyRow:
    """One of this person's passkeys. Raises NotFound."""
    row = await fetch_one(_PASSKEY.bind(user_id=user_id, passkey_id=passkey_id))
    if row is None:
        raise NotFound
    return PasskeyRow(**row)
