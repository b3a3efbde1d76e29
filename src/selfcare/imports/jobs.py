"""What the worker does for an import: a mail to each person it brought, with a link to choose a password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch
from selfcare.identity import tokens
from selfcare.identity.tokens import Purpose
from selfcare.jobs.registry import Job
from selfcare.kernel import clock
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages

INVITE = "imports.invite"
LINK_LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invitations:
    messages: Messages

    async def invite(self, job: Job) -> None:
        """Whoever has a password already, or left meanwhile, is not asked."""
        async with transaction():
            until = clock.now() + LINK_LIFE
            for person in await fetch(WAITING.bind(ids=job.payload["user_ids"])):
                user_id: UUID = person["id"]
                token = await tokens.issue(Purpose.RESET, user_id=user_id, life=LINK_LIFE)
                await self.messages.send_later(
                    Message.ACCOUNT_READY,
                    to_user=user_id,
                    dedupe_key=f"ready:{user_id}",
                    customer=person["customer"],
                    until=until,
                    expires_at=until,
                    path=f"/sign-in/reset?token={token}",
                )


WAITING = Prepared.sql(
    """
    SELECT app_user.id, min(customer.name) AS customer
    FROM app_user
    JOIN membership ON membership.user_id = app_user.id AND membership.removed_at IS NULL
    JOIN customer ON customer.id = membership.customer_id
    WHERE app_user.id IN :ids AND app_user.password_hash IS NULL AND app_user.disabled_at IS NULL
    GROUP BY app_user.id ORDER BY app_user.id
    """
)
