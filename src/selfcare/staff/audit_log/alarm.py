"""When the audit log is not what was written: a mail at once, and a sign in the console until somebody says why."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from uuid import UUID

from selfcare.audit import anchors
from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.audit.log import Anchor, Break
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Prepared, as_json, execute, fetch, fetch_one
from selfcare.identity.identity import Identity
from selfcare.kernel import clock, ids
from selfcare.kernel.errors import Conflict
from selfcare.kernel.words import _
from selfcare.messages.events import Message
from selfcare.ports.messages import Messages
from selfcare.settings import Settings

PATH = "/staff/audit/breaks"
log = logging.getLogger(__name__)

_NOTE = Prepared.sql(
    """
    INSERT INTO audit_break (id, chain, number, what, found_at) VALUES (:id, :chain, :number, :what, :now)
    ON CONFLICT (chain, number, what) DO NOTHING RETURNING id
    """
)
_OPEN = Prepared.sql(
    "SELECT id, chain, number, what, found_at FROM audit_break WHERE seen_at IS NULL ORDER BY found_at, chain, number"
    " LIMIT 1000"
)
_IS_OPEN = Prepared.sql("SELECT id FROM audit_break WHERE seen_at IS NULL LIMIT 1")
_SEE = Prepared.sql(
    """
    UPDATE audit_break SET seen_by = :who, seen_at = :now, reason = :reason WHERE seen_at IS NULL AND id IN :ids
    RETURNING id
    """
)
_STAFF = Prepared.sql(
    "SELECT email, staff_rights FROM app_user WHERE staff_rights IS NOT NULL AND disabled_at IS NULL ORDER BY email",
    types={"staff_rights": as_json},
)


async def look_at_night(settings: Settings, messages: Messages) -> None:
    """Looks beside the file of anchors, and shortens it by those of chains that are whole."""
    kept = await anchors.read(settings.audit_anchors)
    breaks = await look(settings, messages, kept)
    # With so many breaks the rest was not read.
    if len(breaks) < audit.MOST_BREAKS:
        broken = {found.chain for found in breaks}
        await anchors.shorten(settings.audit_anchors, [anchor for anchor in kept if anchor.chain not in broken])


async def look(settings: Settings, messages: Messages, beside: Iterable[Anchor] = ()) -> list[Break]:
    """Reads the whole log, beside anchors. What is new is mailed once."""
    breaks = await audit.verify(beside)
    fresh: dict[UUID, Break] = {}
    async with transaction():
        for found in breaks:
            log.error("the audit log was changed: %s", found)
            noted = await execute(
                _NOTE.bind(id=ids.new_id(), chain=found.chain, number=found.number, what=found.what, now=clock.now())
            )
            fresh |= {row["id"]: found for row in noted}
        if fresh:
            await _tell(settings, messages, fresh)
    return breaks


async def is_broken() -> bool:
    """Whether a break waits for somebody to say why."""
    return await fetch_one(_IS_OPEN.bind()) is not None


async def waiting() -> list[Row]:
    return await fetch(_OPEN.bind(), short=True)


def words_of(what: str) -> str:
    return {
        "changed": _("This entry, or its place, is not what was written."),
        "missing": _("This entry is gone."),
        "cut": _("This entry and those after it are gone."),
        "unfinished": _("The end of the chain does not know this entry."),
        "rewritten": _("The chain was another one when it was anchored."),
    }.get(what, what)


async def see(staff: Identity, break_ids: Collection[str], reason: str) -> None:
    """Those on the page that was looked at, no others. Raises Conflict where somebody was faster."""
    shown = [row["id"] for row in await waiting() if str(row["id"]) in break_ids]
    async with transaction():
        rows = shown and await execute(_SEE.bind(who=staff.actor_id, now=clock.now(), reason=reason, ids=shown))
        if not rows:
            raise Conflict(_("Somebody has said so already."))
        for row in rows:
            await audit.record(staff, Event.STAFF_AUDIT_BREAK_SEEN, about=row["id"], reason=reason)


async def _tell(settings: Settings, messages: Messages, fresh: dict[UUID, Break]) -> None:
    first_id, first = next(iter(fresh.items()))
    for address in settings.alarm_mail or await _administrators():
        await messages.send_later(
            Message.STAFF_AUDIT_BROKEN,
            to_address=address,
            dedupe_key=f"audit_broken:{first_id}:{address}",
            n=len(fresh),
            first=f"{first.chain} {first.number}: {words_of(first.what)}",
            path=PATH,
        )


async def _administrators() -> list[str]:
    return [row["email"] for row in await fetch(_STAFF.bind()) if "admin" in row["staff_rights"]]
