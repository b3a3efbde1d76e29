"""Saves what staff changed: with who, when and what it was before. Raises Rejected beside the field, or Conflict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from selfcare import flags
from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import Duplicate, transaction
from selfcare.formats import moment
from selfcare.identity.identity import Identity
from selfcare.kernel.errors import Conflict, NotFound, Rejected
from selfcare.kernel.words import _
from selfcare.live import store
from selfcare.live.store import Latest
from selfcare.settings import Settings
from selfcare.staff.settings.entries import Entry


async def change(
    given: Settings, staff: Identity, entries: Iterable[Entry], typed: Mapping[str, str], *, seen: int, zone: str
) -> int:
    """Only what differs is written; how much that was. `seen` is the revision the page was made from."""
    wanted = {
        entry.name: typed[entry.field]
        for entry in entries
        if entry.fixed_by is None and typed[entry.field] != entry.value
    }
    known = {entry.name: entry for entry in entries}
    for name in wanted:
        _check_fresh(known[name].latest, seen, known[name].field, zone)
    if wanted:
        await _write(given, staff, wanted, {name: known[name].default for name in wanted})
    return len(wanted)


async def switch(given: Settings, staff: Identity, name: str, value: str, *, seen: int, zone: str) -> None:
    """A flag "on" or "off"."""
    if name not in flags.KNOWN:
        raise NotFound
    if name in flags.fixed(given):
        raise Conflict(_("SELFCARE_FLAGS says how this feature is; change it there."))
    live = flags.LIVE + name
    _check_fresh((await store.latest()).get(live), seen, None, zone)
    default = "on" if name in flags.defaults(given) else "off"
    await _write(given, staff, {live: value}, {live: default})


async def _write(given: Settings, staff: Identity, wanted: Mapping[str, str], defaults: Mapping[str, str]) -> None:
    latest = await store.latest()
    before = {name: row.value for name, row in latest.items() if row.value is not None}
    values = {name: None if value == defaults[name] else value for name, value in wanted.items()}
    after = {name: value for name, value in (before | values).items() if value is not None}
    try:
        given.changed(after).operator  # noqa: B018 - reading it is the check
    except ValueError as problem:
        raise Rejected(str(problem)) from problem
    was = {name: before.get(name, defaults[name]) for name in values}
    try:
        async with transaction():
            revision = await store.write(staff.actor_id, values, was=was)
            for name in values:
                await audit.record(staff, Event.SETTINGS_CHANGED, name=name, revision=revision)
    except Duplicate as error:
        raise Conflict(_("Somebody else saved a setting at this very moment. Look and save again.")) from error


def _check_fresh(latest: Latest | None, seen: int, field: str | None, zone: str) -> None:
    if latest is not None and latest.revision > seen:
        words = _("%(who)s changed this at %(when)s, after you opened the page. What you typed is kept: save again.")
        raise Rejected(
            words % {"who": latest.changed_by or _("Somebody"), "when": moment(latest.changed_at, zone)}, field
        )
