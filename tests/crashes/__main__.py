"""`python -m tests.crashes`: kill the server at every step between the click and the receipt, and look what is left.

Goes on until `--schedules` were run on each database; every step of every scenario comes before any step twice.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random
from time import monotonic

from tests.crashes import schedules
from tests.crashes.scenarios import SCENARIOS
from tests.crashes.schedules import Schedule, Untrue
from tests.crashes.world import World
from tests.support import databases, postgres

CHECK_ALL_EVERY = 40
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


def plan(steps: dict[str, int], seed: int) -> Iterator[Schedule]:
    """All steps of all scenarios in a shuffled order, then all again with other orders of what follows."""
    random = Random(seed)
    for turn in count():
        turns = [(name, at) for name, most in steps.items() for at in [*range(1, most + 1), None]]
        random.shuffle(turns)
        for name, at in turns:
            yield Schedule(name, at, seed + turn)


async def run_many(
    url: str, folder: Path, *, most: int, seed: int, like: str = "", only: Schedule | None = None
) -> Counter[str]:
    """How often a server was killed at which step. Raises Untrue with the schedule's own words."""
    async with World.of(url, folder) as world:
        if only is not None:
            await schedules.run(world, only)
            await schedules.check_all()
            return Counter(world.killed_at())
        steps = {name: len(await schedules.steps_of(world, each)) for name, each in SCENARIOS.items() if like in name}
        for number, schedule in enumerate(plan(steps, seed), 1):
            try:
                await schedules.run(world, schedule)
            except (Untrue, AssertionError) as error:
                raise Untrue(f"{schedule}: {error}") from error
            if number % CHECK_ALL_EVERY == 0 or number == most:
                await schedules.check_all()
            if number == most:
                break
        return Counter(world.killed_at())


async def on(kind: str, options: argparse.Namespace) -> bool:
    began, only = monotonic(), None
    if options.scenario:
        only = Schedule(options.scenario, options.kill_at, options.seed)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        async with databases.Templates(Path(folder)).copy(kind, None, Path(folder)) as url:
            try:
                killed = await run_many(
                    url, Path(folder), most=options.schedules, seed=options.seed, like=options.like, only=only
                )
            except Untrue as untrue:
                _say(f"  {kind:<10} UNTRUE {untrue}")
                return False
    many = 1 if only else options.schedules
    _say(
        f"  {kind:<10} {many:>6,} schedules held in {monotonic() - began:.0f} s; "
        f"{sum(killed.values()):,} servers killed themselves at {len(killed)} different steps"
    )
    for step, times in sorted(killed.items()) if options.steps else ():
        _say(f"    {times:>5} {step}")
    return True


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schedules", type=int, default=300, help="on each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", action="store_true", help="list the steps at which servers were killed")
    parser.add_argument("--database", choices=databases.KINDS, action="append")
    parser.add_argument("--like", default="", help="only scenarios with this in their name, such as top_up")
    parser.add_argument("--scenario", choices=list(SCENARIOS), help="run this one schedule again")
    parser.add_argument("--kill-at", type=int)
    return parser.parse_args()


async def _main(options: argparse.Namespace) -> bool:
    held = [await on(kind, options) for kind in options.database or databases.KINDS]
    if all(held):
        ran = (1 if options.scenario else options.schedules) * len(held)
        _say(f"{ran:,} schedules: the books balance, nobody paid twice, every charge is booked or given back.")
    return all(held)


if __name__ == "__main__":
    wanted = _options()
    postgres.prepare()
    try:
        good = asyncio.run(_main(wanted))
    finally:
        postgres.stop()
    sys.exit(0 if good else 1)
