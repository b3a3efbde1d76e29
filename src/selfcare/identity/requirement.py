"""Who must have a second step, and from when on nothing else is open to them without it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from selfcare.db.prepared import Prepared, execute
from selfcare.identity.identity import Identity
from selfcare.kernel import clock
from selfcare.settings import Settings

STAFF = "staff"
_BEGIN = Prepared.sql(
    "UPDATE app_user SET second_step_asked_at = :now WHERE id = :user_id AND second_step_asked_at IS NULL"
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """`roles` of customers' members, and "staff"; nobody where it is empty."""

    roles: frozenset[str] = frozenset()
    grace: timedelta = timedelta()

    @classmethod
    def of(cls, settings: Settings, flags: Collection[str]) -> Requirement:
        # What cannot be set up cannot be asked for: everybody would stand before a locked door.
        if "2fa_required" not in flags or not {"2fa", "passkeys"} & set(flags):
            return cls()
        return cls(frozenset(settings.second_step_roles), timedelta(days=settings.second_step_grace_days))

    def deadline(self, identity: Identity) -> datetime | None:
        """Until when this person may go on without; None for whom it is not asked of."""
        if identity.has_second_step or identity.is_impersonating:
            return None
        concerned = (identity.is_staff and STAFF in self.roles) or (
            identity.role is not None and identity.role.value in self.roles
        )
        return (identity.second_step_asked_at or identity.session_created_at) + self.grace if concerned else None

    def stops(self, identity: Identity, now: datetime) -> bool:
        """Whether the time is up."""
        deadline = self.deadline(identity) if self.roles else None
        return deadline is not None and deadline <= now


async def begin(user_id: UUID) -> None:
    """The time they have begins when they are told for the first time. Inside a transaction."""
    await execute(_BEGIN.bind(user_id=user_id, now=clock.now()))
