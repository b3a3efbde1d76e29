"""Jobs in the portal's own database: no other server, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import logging
from asyncio import Event
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import SystemRandom
from uuid import UUID

from selfcare.db.engine import after_commit
from selfcare.jobs import store
from selfcare.jobs.registry import GiveUp, Job, Later, Registry, Task
from selfcare.jobs.schedule import Schedule
from selfcare.jobs.store import Held
from selfcare.kernel import clock
from selfcare.ports.jobs import NORMAL, GivenUp, Json

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Somebody else has the job by now: whatever we find out about it is not asked for any more."""


class EmbeddedJobs:
    def __init__(
        self,
        *,
        at_once: int = 4,
        poll_seconds: float = 1,
        lease: timedelta = timedelta(seconds=60),
        patience_seconds: float = 10,
        random: Callable[[], float] = SystemRandom().random,  # noqa: B008
    ) -> None:
        """`patience_seconds`: how long work that is under way may go on after `stop`."""
        self.at_once = at_once
        self.poll_seconds = poll_seconds
        self.lease = lease
        self.patience_seconds = patience_seconds
        self.random = random
        self._nudged = Event()
        self._suspects: dict[UUID, datetime] = {}
        self._suspects_at = 0.0

    async def enqueue(
        self,
        kind: str,
        *,
        key: str,
        payload: Mapping[str, Json],
        run_at: datetime | None = None,
        priority: int = NORMAL,
    ) -> None:
        if await store.add(kind, key=key, payload=payload, run_at=run_at, priority=priority):
            after_commit(self._nudged.set)

    async def given_up(self, *, limit: int) -> list[GivenUp]:
        return await store.list_given_up(limit)

    async def retry(self, key: str) -> None:
        await store.offer_again(key)
        after_commit(self._nudged.set)

    async def run(self, registry: Registry, schedule: Schedule, stop: Event) -> None:
        schedule.check(registry)
        running: dict[asyncio.Task[None], UUID] = {}
        stopped = asyncio.create_task(stop.wait())
        try:
            while not stop.is_set():
                self._nudged.clear()
                wait = await self._begin_what_is_due(registry, schedule, running)
                nudged = asyncio.create_task(self._nudged.wait())
                # With no hand free there is nothing to be nudged for.
                signals = {stopped, *running} | ({nudged} if len(running) < self.at_once else set())
                await asyncio.wait(signals, timeout=wait, return_when=asyncio.FIRST_COMPLETED)
                nudged.cancel()
                for task in [task for task in running if task.done()]:
                    del running[task]
        finally:
            stopped.cancel()
            await self._wind_down(set(running))

    async def drain(self, registry: Registry, schedule: Schedule | None = None) -> int:
        done = 0
        if schedule is not None:
            await store.fire(schedule)
        while due := await store.claim(registry.kinds, most=1, lease=self.lease):
            for held in due:
                error = await self._work(held, registry[held.job.kind])
                if error is not None:
                    raise error
                done += 1
        return done

    async def run_due(self, registry: Registry, schedule: Schedule | None = None, *, limit: int = 100) -> int:
        """Like `drain`, but what fails waits for its next try, as in real life; and no more than `limit`."""
        if schedule is not None:
            await store.fire(schedule)
        tried = 0
        while tried < limit and (due := await store.claim(registry.kinds, most=1, lease=self.lease)):
            for held in due:
                await self._work(held, registry[held.job.kind])
                tried += 1
        return tried

    async def _begin_what_is_due(
        self, registry: Registry, schedule: Schedule, running: dict[asyncio.Task[None], UUID]
    ) -> float:
        """How many seconds to wait if nothing else happens."""
        try:
            await store.fire(schedule)
            await self._free_leases_of_the_future()
            free = self.at_once - len(running)
            if free:
                due = await store.claim(registry.kinds, most=free, lease=self.lease, not_these=list(running.values()))
                for held in due:
                    task = asyncio.create_task(self._work_quietly(held, registry[held.job.kind]))
                    running[task] = held.job.id
            next_at = await store.next_at(registry.kinds)
        except Exception:
            # The database may be away for a moment; the worker outlives that.
            log.exception("the worker could not look for jobs")
            return self.poll_seconds
        if next_at is None:
            return self.poll_seconds
        return min(self.poll_seconds, max(0.01, (next_at - clock.now()).total_seconds()))

    async def _work_quietly(self, held: Held, task: Task) -> None:
        await self._work(held, task)

    async def _work(self, held: Held, task: Task) -> Exception | None:
        """Does the job and writes down how it ended; the error, if there was one."""
        job = held.job
        about = {"job": job.kind, "key": job.key, "attempt": job.attempt}
        try:
            if job.attempt > task.tries:
                raise GiveUp(f"The worker died {task.tries} times while doing this.")
            await self._watch(held, task)
            await store.finish(held)
        except asyncio.CancelledError:
            await asyncio.shield(store.release(held))
            raise
        except LeaseLost as error:
            log.warning("another worker took over a job", extra=about)
            return error
        except Later as later:
            await store.postpone(held, later.at)
        except GiveUp as error:
            log.error("gave up a job: %s", error, extra=about)
            await store.give_up(held, str(error))
            return error
        except Exception as error:
            await self._failed(held, task, error, about)
            return error
        return None

    async def _failed(self, held: Held, task: Task, error: Exception, about: dict[str, object]) -> None:
        words = f"{type(error).__name__}: {error}"
        if held.job.attempt >= task.tries:
            log.error("gave up a job after its last try", exc_info=error, extra=about)
            await store.give_up(held, words)
        else:
            log.warning("a job failed and will be tried again", exc_info=error, extra=about)
            await store.fail(held, words, again_at=clock.now() + self._wait_after(held.job))

    def _wait_after(self, job: Job) -> timedelta:
        """Twice as long each time, and never all at the same moment."""
        doubled: timedelta = FIRST_WAIT * 2 ** min(job.attempt - 1, 20)
        return min(LONGEST_WAIT, doubled) * (0.5 + self.random() / 2)

    async def _watch(self, held: Held, task: Task) -> None:
        """Renews the lease while the handler works; stops a handler that takes too long or lost the job."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + task.time_limit_seconds
        work = asyncio.ensure_future(task.handler(held.job))
        try:
            while not work.done():
                left = ends - loop.time()
                if left <= 0:
                    raise TimeoutError(f"took longer than {task.time_limit_seconds:.0f} seconds")
                await asyncio.wait({work}, timeout=min(left, self.lease.total_seconds() / 3))
                if not work.done() and not await store.renew(held, self.lease):
                    raise LeaseLost
            work.result()
        finally:
            if not work.done():
                work.cancel()
                await asyncio.wait({work})

    async def _free_leases_of_the_future(self) -> None:
        """A clock that was turned back leaves leases that seem to last for hours.

        A living worker renews its own with the new time; what stays as it is for a whole lease belongs to a dead one.
        """
        now = asyncio.get_running_loop().time()
        if now - self._suspects_at < self.lease.total_seconds():
            return
        seen = await store.held_too_long(self.lease)
        if dead := {id: until for id, until in seen.items() if self._suspects.get(id) == until}:
            await store.free(dead)
        self._suspects, self._suspects_at = seen, now

    async def _wind_down(self, running: set[asyncio.Task[None]]) -> None:
        if not running:
            return
        _, late = await asyncio.wait(running, timeout=self.patience_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
