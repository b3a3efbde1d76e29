"""The settings as they stand now, in each process, at most a second after somebody changed them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from selfcare.live import store
from selfcare.settings import Settings

LOOK_EVERY_SECONDS = 0.2

Follower: TypeAlias = Callable[[Settings], Awaitable[None]]

log = logging.getLogger(__name__)


class Standing:
    """`given` is what the environment says, `settings` what is in force."""

    def __init__(self, given: Settings) -> None:
        self.given = given
        self.settings = given
        self._seen: object = None
        self._followers: list[Follower] = []
        self._looking = asyncio.Lock()

    def follow(self, tell: Follower) -> None:
        """`tell` is awaited after every change, before `look` answers."""
        self._followers.append(tell)

    async def look(self) -> None:
        """One short read; more only where something changed."""
        if await store.mark() == self._seen:
            return
        async with self._looking:
            mark = await store.mark()
            if mark == self._seen:
                return
            latest = await store.latest()
            settings = _in_force(self.given, {name: row.value for name, row in latest.items() if row.value is not None})
            for tell in self._followers:
                await tell(settings)
            self.settings, self._seen = settings, mark

    async def watch(self, stop: asyncio.Event) -> None:
        """Until `stop` is set. The database may be away for a moment; what was in force stays."""
        away = False
        while not stop.is_set():
            try:
                await self.look()
                away = False
            except Exception:
                if not away:
                    log.exception("the settings cannot be read; the last ones stay in force")
                away = True
            try:
                await asyncio.wait_for(stop.wait(), LOOK_EVERY_SECONDS)
            except TimeoutError:
                continue


def _in_force(given: Settings, changes: Mapping[str, str]) -> Settings:
    """What another version wrote, and we cannot follow, must not stop the portal."""
    try:
        settings = given.changed(changes)
        settings.operator  # noqa: B018 - reading it is the check
    except ValueError:
        log.exception("a setting that was saved cannot be used; none of the saved ones is")
        return given
    return settings
