"""Holding an answer back until there is news: waiting costs a phone nothing, asking again costs it a kilobyte."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

_LOOK_EVERY_SECONDS = 1.5
_stopping = False


async def until(news: Callable[[], Awaitable[bool]], *, seconds: float) -> bool:
    """Whether there is news within that time. Gives up at once when the server stops."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not await news():
        if _stopping or loop.time() + _LOOK_EVERY_SECONDS > end:
            return False
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    return True


def stop() -> None:
    """The server of this process goes down: nobody waits any longer."""
    global _stopping
    _stopping = True
