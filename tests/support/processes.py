"""Real processes that do one thing at the same moment."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar

from selfcare.kernel import clock

Said = TypeVar("Said")

# Born of one that has imported the portal already: that takes longer than most races.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["selfcare.app", "tests.support.site", "tests.support.databases"])
_start: Barrier


async def together(work: Callable[..., Awaitable[Said]], *told: tuple[Any, ...]) -> list[Said]:
    """What `work` gives back in each process; there are as many as `told` has rows. It is found by name, so it is
    written in a module; all begin when the last is ready, at the test's time of day."""
    start = _context.Barrier(len(told))
    loop, now = asyncio.get_running_loop(), clock.now()
    with ProcessPoolExecutor(len(told), _context, initializer=_line_up, initargs=(start,)) as pool:
        return await asyncio.gather(*(loop.run_in_executor(pool, _run, work, each, now) for each in told))


def _line_up(start: Barrier) -> None:
    global _start
    _start = start


def _run(work: Callable[..., Awaitable[Said]], told: tuple[Any, ...], now: datetime) -> Said:
    _start.wait(300)
    clock.travel_to(now)

    async def main() -> Said:
        return await work(*told)

    return asyncio.run(main())
