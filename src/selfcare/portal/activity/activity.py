"""The audit log as its customer reads it: sentences, names, places.

Owners read what everybody did; others what they did themselves and what nobody in particular did.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from selfcare.audit import log as audit
from selfcare.audit import queries as log
from selfcare.audit.events import Event
from selfcare.audit.queries import BEGINNING, END, Entry
from selfcare.db.engine import Row, transaction
from selfcare.db.prepared import Bound, Prepared, fetch
from selfcare.formats import country
from selfcare.identity import limits
from selfcare.identity.identity import Identity
from selfcare.identity.rights import Role
from selfcare.kernel import agents, clock
from selfcare.kernel.place import Place
from selfcare.kernel.values import value
from selfcare.kernel.words import _
from selfcare.portal.activity.words import sentence_of

KEPT = timedelta(days=730)
PER_PAGE = 25
PER_READ = 500
# What needs no password, code or link.
ANYBODY_MAY = frozenset({Event.SIGN_IN_RESET_ASKED.value, Event.SIGN_IN_LIMITED.value, Event.SIGN_IN_FORGED.value})

# Beside these stands "Not me": who got in, and what they could change to stay in.
BY_A_THIEF = frozenset(
    {
        Event.SIGN_IN_SUCCEEDED.value,
        Event.SIGN_IN_NEW_DEVICE.value,
        Event.SIGN_IN_BACKUP_CODE_USED.value,
        Event.SIGN_IN_RESET_DONE.value,
        Event.ACCOUNT_DETAILS_CHANGED.value,
        Event.ACCOUNT_PASSWORD_CHANGED.value,
        Event.ACCOUNT_EMAIL_CHANGE_ASKED.value,
        Event.ACCOUNT_EMAIL_CHANGED.value,
        Event.ACCOUNT_SECOND_FACTOR_ADDED.value,
        Event.ACCOUNT_SECOND_FACTOR_REMOVED.value,
        Event.ACCOUNT_BACKUP_CODES_MADE.value,
        Event.ACCOUNT_PERSON_INVITED.value,
        Event.ACCOUNT_PERSON_CHANGED.value,
    }
)

_NAMES = Prepared.sql(
    """
    SELECT id, display_name, email, CASE WHEN staff_rights IS NULL THEN 0 ELSE 1 END AS is_staff
      FROM app_user WHERE id IN :ids
    """
)


@value
class Wanted:
    """What somebody chose to see. `until` is not included; `after` is where the page before ended."""

    packages: frozenset[str] = frozenset()
    since: datetime = BEGINNING
    until: datetime = END
    after: Place | None = None


@value
class Line:
    """One thing that happened, in words."""

    id: UUID
    at: datetime
    what: str
    who: str
    by_support: bool
    refused: bool
    device: str
    place: str
    may_be_strange: bool = False

    @property
    def where(self) -> str:
        return ", ".join(part for part in (self.device, self.place) if part)


@value
class Shown:
    lines: list[Line]
    older: Place | None


async def show(identity: Identity, wanted: Wanted, *, limit: int = PER_PAGE) -> Shown:
    """One page, the newest first. Two statements, however many lines."""
    return await shown(await fetch(asked(identity, wanted, limit), short=True), identity, limit)


def asked(identity: Identity, wanted: Wanted, limit: int) -> Bound:
    """`show` for screens that read several things in one snapshot: `shown` turns the answer into lines."""
    return log.of_customer(
        identity.customer.customer_id,
        user_id=identity.user_id,
        everybody=identity.role is Role.OWNER,
        packages=wanted.packages,
        since=max(wanted.since, clock.now() - KEPT),
        until=wanted.until,
        after=wanted.after,
        limit=limit,
    )


async def shown(rows: list[Row], identity: Identity, limit: int) -> Shown:
    found = log.page_of(rows, limit)
    names = await _names(found.entries)
    return Shown([_line(entry, identity, names) for entry in found.entries], found.next)


async def download(identity: Identity, wanted: Wanted) -> AsyncIterator[Line]:
    """Every line that is wanted, read page by page while it is sent. Raises limits.TooOften, at once."""
    await limits.claim(limits.FILES_BY_USER, str(identity.user_id))
    async with transaction():
        await audit.record(identity, Event.ACCOUNT_ACTIVITY_FETCHED)
    return _all(identity, wanted)


async def _all(identity: Identity, wanted: Wanted) -> AsyncIterator[Line]:
    place = wanted.after
    while True:
        page = Wanted(wanted.packages, wanted.since, wanted.until, place)
        shown = await show(identity, page, limit=PER_READ)
        for line in shown.lines:
            yield line
        if shown.older is None:
            return
        place = shown.older


async def _names(entries: Iterable[Entry]) -> dict[UUID, Mapping[str, object]]:
    ids = {who for entry in entries for who in (_actor(entry), _done_for(entry)) if who is not None}
    if not ids:
        return {}
    return {row["id"]: row for row in await fetch(_NAMES.bind(ids=sorted(ids)), short=True)}


def _actor(entry: Entry) -> UUID | None:
    """Who did it. At the door, whoever got through is the person; whoever did not is nobody."""
    if entry.actor_id is not None or entry.outcome != "ok" or entry.event in ANYBODY_MAY or not entry.device:
        return entry.actor_id
    return entry.user_id


def _done_for(entry: Entry) -> UUID | None:
    """Whose portal it was, of what support did there and not only looked at."""
    return entry.user_id if entry.grant_id is not None and not entry.event.startswith("as.") else None


def _line(entry: Entry, identity: Identity, names: Mapping[UUID, Mapping[str, object]]) -> Line:
    actor_id = _actor(entry)
    actor = names.get(actor_id) if actor_id else None
    by_support = entry.grant_id is not None or (actor is not None and bool(actor["is_staff"]))
    return Line(
        id=entry.id,
        at=entry.at,
        what=sentence_of(entry.event, entry.details),
        who=_who(entry, identity, names, by_support=by_support),
        by_support=by_support,
        refused=entry.outcome != "ok",
        # Where support sits is its own business.
        device="" if by_support else agents.named(entry.device),
        place="" if by_support else country(entry.country) or entry.address,
        may_be_strange=_may_be_strange(entry, identity, by_support=by_support),
    )


def _may_be_strange(entry: Entry, identity: Identity, *, by_support: bool) -> bool:
    own = _actor(entry) == identity.user_id and not by_support and not identity.is_impersonating
    return own and entry.outcome == "ok" and entry.event in BY_A_THIEF


def _who(entry: Entry, identity: Identity, names: Mapping[UUID, Mapping[str, object]], *, by_support: bool) -> str:
    actor_id, done_for = _actor(entry), _done_for(entry)
    actor = names.get(actor_id) if actor_id else None
    if actor is not None and by_support:
        staff = _("%(name)s from support") % {"name": str(actor["display_name"]).split(" ")[0]}
        person = names.get(done_for) if done_for else None
        if person is None:
            return staff
        name = _("you") if done_for == identity.user_id else str(person["display_name"] or person["email"])
        return _("%(staff)s, for %(name)s") % {"staff": staff, "name": name}
    if _actor(entry) == identity.user_id and not identity.is_impersonating:
        return _("You")
    if actor is not None:
        return str(actor["display_name"] or actor["email"])
    if entry.device or entry.address:
        # Somebody at the door: signing in, or failing to.
        return _("Somebody who was not signed in")
    return _("Automatic")
