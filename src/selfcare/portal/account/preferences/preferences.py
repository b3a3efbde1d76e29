"""How a person wants to read the portal: pages and messages follow."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from zoneinfo import available_timezones

from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.db.engine import transaction
from selfcare.identity.identity import Identity
from selfcare.identity.tables import User

LANGUAGES = {"en": "English"}
THEMES = ("system", "light", "dark")
AREAS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)


@lru_cache(maxsize=1)
def zones() -> dict[str, list[str]]:
    """Area → its time zones; what nobody lives by is left out."""
    known = sorted(name for name in available_timezones() if name.partition("/")[0] in AREAS)
    return {area: list(names) for area, names in groupby(known, lambda name: name.partition("/")[0])}


def is_zone(name: str) -> bool:
    return name in zones().get(name.partition("/")[0], ())


async def choose(identity: Identity, *, language: str, zone: str | None, theme: str) -> None:
    """`zone` None: that of the customer."""
    was = identity.user
    asked = {"language": (was.language, language), "zone": (was.zone, zone), "theme": (was.theme, theme)}
    changed = [name for name, (before, after) in asked.items() if before != after]
    if not changed:
        return
    async with transaction():
        await User.update({User.language: language, User.zone: zone, User.theme: theme}).where(User.id == was.id)
        await audit.record(identity, Event.ACCOUNT_DETAILS_CHANGED, fields=changed)
