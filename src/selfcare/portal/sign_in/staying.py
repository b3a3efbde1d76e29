""" "Keep me signed in on this phone": a token of its own that changes at each use, never a longer sign-in.

A token that comes back after it was changed was copied: the whole series dies, and its owner is told.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.kernel import clock, ids
from selfcare.kernel.origin import Origin
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages

LASTS = timedelta(days=30)
# Two tabs may wake up with the same cookie at once: that is no thief.
GRACE = timedelta(seconds=30)

_ADD = Prepared.sql(
    """
    INSERT INTO remembered_sign_in
        (series, user_id, token_hash, previous_hash, rotated_at, expires_at, device, revoked_at)
    VALUES (:series, :user_id, :token_hash, NULL, :now, :expires_at, :device, NULL)
    """
)
_ROTATE = Prepared.sql(
    """
    UPDATE remembered_sign_in SET previous_hash = token_hash, token_hash = :new, rotated_at = :now
     WHERE series = :series AND token_hash = :old AND revoked_at IS NULL AND expires_at > :now
    RETURNING user_id
    """
)
_FIND = Prepared.sql(
    "SELECT user_id, previous_hash, rotated_at FROM remembered_sign_in "
    "WHERE series = :series AND revoked_at IS NULL AND expires_at > :now"
)
_KILL = Prepared.sql(
    "UPDATE remembered_sign_in SET revoked_at = :now WHERE series = :series AND revoked_at IS NULL RETURNING user_id"
)
_KILL_ALL = Prepared.sql(
    "UPDATE remembered_sign_in SET revoked_at = :now WHERE user_id = :user_id AND revoked_at IS NULL RETURNING series"
)


async def remember(user_id: UUID, origin: Origin) -> str:
    """A new series; the cookie's value. Inside a transaction."""
    series, token, now = ids.token(), ids.token(), clock.now()
    await execute(
        _ADD.bind(
            series=ids.token_hash(series),
            user_id=user_id,
            token_hash=ids.token_hash(token),
            now=now,
            expires_at=now + LASTS,
            device=origin.device[:200],
        )
    )
    return f"{series}.{token}"


async def come_back(cookie: str, origin: Origin, *, messages: Messages) -> tuple[UUID, str] | None:
    """Who it is and the cookie to set instead; None when it opens nothing. In a transaction of its own."""
    series, _dot, token = cookie.partition(".")
    hashed, fresh, now = ids.token_hash(series), ids.token(), clock.now()
    async with transaction():
        rows = await execute(_ROTATE.bind(series=hashed, old=ids.token_hash(token), new=ids.token_hash(fresh), now=now))
        if rows:
            return rows[0]["user_id"], f"{series}.{fresh}"
        row = await fetch_one(_FIND.bind(series=hashed, now=now))
        if row is not None and not _is_second_tab(row, token):
            await _betrayed(hashed, row["user_id"], origin, messages)
    return None


async def forget(cookie: str) -> None:
    """Signing out on this phone. Inside a transaction."""
    await execute(_KILL.bind(series=ids.token_hash(cookie.partition(".")[0]), now=clock.now()))


async def forget_all(user_id: UUID) -> None:
    """After a new password. Inside a transaction."""
    await execute(_KILL_ALL.bind(user_id=user_id, now=clock.now()))


def _is_second_tab(row: dict[str, Any], token: str) -> bool:
    return bool(row["previous_hash"] == ids.token_hash(token) and clock.now() - row["rotated_at"] <= GRACE)


async def _betrayed(series: str, user_id: UUID, origin: Origin, messages: Messages) -> None:
    now = clock.now()
    await execute(_KILL.bind(series=series, now=now))
    await audit.record(audit.visitor(origin, user_id=user_id), Event.SIGN_IN_REMEMBERED_REPLAYED, outcome="refused")
    await messages.send_later(
        Message.ACCOUNT_REMEMBERED_COPIED, to_user=user_id, dedupe_key=f"remembered_copied:{series}", at=now
    )
