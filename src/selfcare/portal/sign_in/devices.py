"""Phones and computers a person has signed in from. The cookie grants nothing; its absence sends a mail."""

from __future__ import annotations

from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.identity import limits, tokens
from selfcare.identity.tokens import Purpose
from selfcare.kernel import agents, clock, ids
from selfcare.kernel.origin import Origin
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages

_KNOWN = Prepared.sql("SELECT hash FROM known_device WHERE hash = :hash")
_ANY = Prepared.sql("SELECT count(*) AS n FROM known_device WHERE user_id = :user_id")
_ADD = Prepared.sql(
    "INSERT INTO known_device (hash, user_id, first_seen_at) VALUES (:hash, :user_id, :now) "
    "ON CONFLICT (hash) DO NOTHING RETURNING hash"
)


async def greet(user_id: UUID, cookie: str | None, origin: Origin, *, messages: Messages) -> str | None:
    """The cookie to set where this device is new to this person, else None. Inside a transaction.

    The first device ever is expected and not worth a mail.
    """
    if cookie and await fetch_one(_KNOWN.bind(hash=_hash(cookie, user_id))):
        return None
    counted = await fetch_one(_ANY.bind(user_id=user_id))
    first = counted is not None and counted["n"] == 0
    value = cookie or ids.token()
    await execute(_ADD.bind(hash=_hash(value, user_id), user_id=user_id, now=clock.now()))
    if not first:
        await audit.record(audit.visitor(origin, user_id=user_id), Event.SIGN_IN_NEW_DEVICE)
        if await limits.allows_here(limits.NEW_DEVICE_MAILS, str(user_id)):
            token = await tokens.issue(Purpose.DISOWN, user_id=user_id)
            await messages.send_later(
                Message.ACCOUNT_NEW_DEVICE,
                to_user=user_id,
                dedupe_key=f"new_device:{_hash(value, user_id)}",
                at=clock.now(),
                device=agents.within_a_sentence(origin.device),
                country=origin.country,
                path=f"/sign-in/not-me?token={token}",
            )
    return value


def _hash(cookie: str, user_id: UUID) -> str:
    return ids.token_hash(f"{cookie}/{user_id}")
