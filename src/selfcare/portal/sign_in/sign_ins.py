"""Who may come in: an address and a password become a sign-in, or the same words for everybody."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, as_json, fetch_one
from selfcare.identity import sessions
from selfcare.identity.identity import Identity
from selfcare.identity.passwords import Passwords
from selfcare.identity.tables import User
from selfcare.kernel.errors import Rejected
from selfcare.kernel.origin import Origin
from selfcare.kernel.words import _


class NotSignedIn(Rejected):
    """The one answer to every wrong address, wrong password and disabled person."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A new sign-in: the cookie's token, told once, and whether it is a staff member's."""

    token: str
    user_id: UUID
    staff: bool


_BY_EMAIL = Prepared.sql(
    "SELECT id, password_hash, staff_rights, disabled_at FROM app_user WHERE lower(email) = :email",
    types={"staff_rights": as_json},
)


async def enter(
    email: str,
    password: str,
    origin: Origin,
    *,
    passwords: Passwords,
    limits: sessions.Limits,
    shared_device: bool = False,
    replaces: str | None = None,
) -> Entered:
    """Open a sign-in, ending the one it replaces. Raises NotSignedIn in the same words and time for every failure."""
    user = await find_user(email)
    checked = await passwords.check(user["password_hash"] if user else None, password)
    if user is None or not checked.right or user["disabled_at"] is not None:
        async with transaction():
            actor = audit.visitor(origin, user_id=user["id"] if user else None)
            await audit.record(actor, Event.SIGN_IN_FAILED, outcome="refused", method="password")
        raise NotSignedIn(_("E-mail or password is wrong."), field="password")
    async with transaction():
        if checked.rehashed:
            await User.update({User.password_hash: checked.rehashed}).where(User.id == user["id"])
        if replaces:
            await sessions.revoke(replaces)
        token = await sessions.open_session(user["id"], origin, limits=limits, shared_device=shared_device)
        await audit.record(audit.visitor(origin, user_id=user["id"]), Event.SIGN_IN_SUCCEEDED, method="password")
    return Entered(token, user["id"], staff=bool(user["staff_rights"]))


async def leave(identity: Identity) -> None:
    """End this sign-in. Twice is harmless."""
    async with transaction():
        if await sessions.revoke(identity.session_id):
            await audit.record(identity, Event.SIGN_IN_SIGNED_OUT)


async def find_user(email: str) -> dict[str, Any] | None:
    """The person with this address in any spelling, or None."""
    return await fetch_one(_BY_EMAIL.bind(email=normal_email(email)))


def normal_email(email: str) -> str:
    return unicodedata.normalize("NFKC", email).strip().casefold()[:254]
