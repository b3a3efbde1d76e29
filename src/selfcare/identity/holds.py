"""After support took a second step off, what a thief would want next stays closed for a day."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from selfcare.db.prepared import Prepared, as_moment, fetch_one
from selfcare.identity.tokens import Purpose
from selfcare.kernel import clock
from selfcare.kernel.errors import NotAllowed
from selfcare.kernel.words import _

LASTS = timedelta(hours=24)

_LATEST = Prepared.sql(
    "SELECT max(used_at) AS used_at FROM one_time_token "
    "WHERE user_id = :user_id AND purpose = :purpose AND used_at > :since",
    types={"used_at": as_moment},
)


async def check(user_id: UUID) -> None:
    """Raises NotAllowed with the hours that are left."""
    now = clock.now()
    asked = _LATEST.bind(user_id=user_id, purpose=Purpose.RESET_SECOND_FACTOR.value, since=now - LASTS)
    row = await fetch_one(asked)
    if row is None or row["used_at"] is None:
        return
    hours = max(1, -(-int((row["used_at"] + LASTS - now).total_seconds()) // 3600))
    raise NotAllowed(
        _("Your second step was taken off by support. For your safety this is possible again in %(n)d hours.")
        % {"n": hours}
    )
