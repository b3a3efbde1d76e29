"""What every adapter of the Jobs port promises."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta

import pytest
from piccolo.engine.exceptions import TransactionError

from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.db.engine import Database, transaction
from selfcare.jobs.registry import GiveUp, Job, Later, Registry
from selfcare.jobs.schedule import Schedule
from selfcare.jobs.tables import JobRow
from selfcare.kernel import clock
from selfcare.kernel.errors import NotFound
from selfcare.ports.jobs import MONEY, NORMAL, SECURITY, WHENEVER, Json

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.frozen(NOON):
        yield


@pytest.fixture
def jobs(database: Database) -> EmbeddedJobs:
    return EmbeddedJobs(random=lambda: 1.0, poll_seconds=0.02)


class Worker:
    """Remembers what it did; `then` is what it does."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.tries = 3
        self.registry = Registry()
        self.then: Callable[[Job], Awaitable[None]] | None = None
        self.registry.add("work", self.work, tries=3)

    async def work(self, job: Job) -> None:
        if self.then is not None:
            await self.then(job)
        self.done.append(job.key)


@pytest.fixture
def worker() -> Worker:
    return Worker()


async def enqueue(jobs: EmbeddedJobs, *keys: str, priority: int = NORMAL, run_at: datetime | None = None) -> None:
    async with transaction():
        for key in keys:
            await jobs.enqueue("work", key=key, payload={"id": key}, priority=priority, run_at=run_at)


async def fail(job: Job) -> None:
    raise ConnectionError("the relay is down")


@asynccontextmanager
async def running(jobs: EmbeddedJobs, registry: Registry, schedule: Schedule | None = None) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(jobs.run(registry, schedule or Schedule(), stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 60)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


async def renewed(before: datetime) -> None:
    """The lease of the only job."""
    async with asyncio.timeout(60):
        while (await JobRow.select(JobRow.locked_until))[0]["locked_until"] == before:
            await asyncio.sleep(0.01)


async def test_what_was_enqueued_is_done_once(jobs: EmbeddedJobs, worker: Worker) -> None:
    seen: list[dict[str, Json]] = []

    async def look(job: Job) -> None:
        seen.append(dict(job.payload))

    worker.then = look
    await enqueue(jobs, "a")
    assert await jobs.drain(worker.registry) == 1
    assert await jobs.drain(worker.registry) == 0
    assert (worker.done, seen) == (["a"], [{"id": "a"}])


async def test_a_running_worker_is_told_by_the_commit(database: Database, worker: Worker) -> None:
    jobs = EmbeddedJobs(poll_seconds=60)
    async with running(jobs, worker.registry):
        await asyncio.sleep(0.1)
        await enqueue(jobs, "a")
        await until(lambda: worker.done == ["a"])


async def test_a_worker_of_another_process_finds_it_by_itself(jobs: EmbeddedJobs, worker: Worker) -> None:
    async with running(jobs, worker.registry):
        await enqueue(EmbeddedJobs(), "a")
        await until(lambda: worker.done == ["a"])


async def test_a_rollback_takes_the_job_with_it(jobs: EmbeddedJobs, worker: Worker) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await jobs.enqueue("work", key="a", payload={})
            raise ZeroDivisionError
    assert await jobs.drain(worker.registry) == 0
    await enqueue(jobs, "a")
    assert await jobs.drain(worker.registry) == 1


async def test_nothing_is_enqueued_outside_a_transaction(jobs: EmbeddedJobs) -> None:
    with pytest.raises(TransactionError):
        await jobs.enqueue("work", key="a", payload={})


async def test_a_key_is_one_piece_of_work(jobs: EmbeddedJobs, worker: Worker) -> None:
    await enqueue(jobs, "a", "a")
    await enqueue(jobs, "a")
    await jobs.drain(worker.registry)
    await enqueue(jobs, "a")
    await jobs.drain(worker.registry)
    assert worker.done == ["a"]


async def test_a_job_waits_for_its_time(jobs: EmbeddedJobs, worker: Worker) -> None:
    await enqueue(jobs, "later", run_at=NOON + timedelta(minutes=5))
    assert await jobs.drain(worker.registry) == 0
    clock.travel_by(timedelta(minutes=5))
    assert await jobs.drain(worker.registry) == 1


async def test_the_urgent_go_first_and_then_the_oldest(jobs: EmbeddedJobs, worker: Worker) -> None:
    await enqueue(jobs, "news", priority=WHENEVER)
    await enqueue(jobs, "first", "second")
    await enqueue(jobs, "refund", priority=MONEY)
    await enqueue(jobs, "locked", priority=SECURITY)
    await jobs.drain(worker.registry)
    assert worker.done == ["locked", "refund", "first", "second", "news"]


async def test_a_kind_that_this_version_does_not_know_waits(jobs: EmbeddedJobs, worker: Worker) -> None:
    async with transaction():
        await jobs.enqueue("brand_new", key="a", payload={})
    assert await jobs.drain(worker.registry) == 0
    worker.registry.add("brand_new", worker.work)
    assert await jobs.drain(worker.registry) == 1


async def test_each_failure_waits_longer_than_the_one_before(jobs: EmbeddedJobs) -> None:
    registry = Registry()
    registry.add("work", fail, tries=20)
    await enqueue(jobs, "a")
    waits = []
    for _ in range(12):
        before = clock.now()
        assert await jobs.run_due(registry) == 1
        (row,) = await JobRow.select(JobRow.run_at, JobRow.last_error)
        assert row["last_error"] == "ConnectionError: the relay is down"
        waits.append((row["run_at"] - before).total_seconds())
        clock.travel_to(row["run_at"])
    assert waits == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]


async def test_waits_differ_so_that_not_all_come_back_at_once(database: Database, worker: Worker) -> None:
    worker.then = fail
    lots = iter([0.0, 0.5])
    jobs = EmbeddedJobs(random=lambda: next(lots))
    await enqueue(jobs, "a", "b")
    await jobs.run_due(worker.registry)
    rows = await JobRow.select(JobRow.run_at).order_by(JobRow.id)
    assert [(row["run_at"] - NOON).total_seconds() for row in rows] == [5, 7.5]


async def test_after_the_last_try_it_is_given_up_and_shown(jobs: EmbeddedJobs, worker: Worker) -> None:
    worker.then = fail
    await enqueue(jobs, "a")
    for _ in range(5):
        await jobs.run_due(worker.registry)
        clock.travel_by(timedelta(hours=1))
    (letter,) = await jobs.given_up(limit=10)
    assert (letter.key, letter.kind, letter.attempts) == ("a", "work", 3)
    assert letter.error == "ConnectionError: the relay is down"
    assert letter.enqueued_at == NOON


async def test_a_given_up_job_is_offered_again_with_all_its_tries(jobs: EmbeddedJobs, worker: Worker) -> None:
    worker.then = fail
    await enqueue(jobs, "a")
    for _ in range(3):
        await jobs.run_due(worker.registry)
        clock.travel_by(timedelta(hours=1))
    async with transaction():
        await jobs.retry("a")
    await jobs.run_due(worker.registry)
    assert await jobs.given_up(limit=10) == []
    worker.then = None
    clock.travel_by(timedelta(hours=1))
    assert await jobs.drain(worker.registry) == 1


async def test_only_a_given_up_job_can_be_retried(jobs: EmbeddedJobs) -> None:
    await enqueue(jobs, "a")
    for key in ("a", "nothing"):
        async with transaction():
            with pytest.raises(NotFound):
                await jobs.retry(key)


async def test_a_handler_may_give_up_at_once(jobs: EmbeddedJobs, worker: Worker) -> None:
    async def refuse(job: Job) -> None:
        raise GiveUp("no such mailbox")

    worker.then = refuse
    await enqueue(jobs, "a")
    await jobs.run_due(worker.registry)
    (letter,) = await jobs.given_up(limit=10)
    assert (letter.error, letter.attempts) == ("no such mailbox", 1)


async def test_later_is_not_a_failure(jobs: EmbeddedJobs, worker: Worker) -> None:
    async def not_yet(job: Job) -> None:
        if clock.now() < NOON + timedelta(hours=9):
            raise Later(clock.now() + timedelta(hours=1))

    worker.then = not_yet
    await enqueue(jobs, "a")
    for _ in range(10):
        await jobs.run_due(worker.registry)
        clock.travel_by(timedelta(hours=1))
    assert worker.done == ["a"]


async def test_a_handler_that_takes_too_long_is_stopped(jobs: EmbeddedJobs) -> None:
    stopped = []

    async def hang(job: Job) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(job.key)

    registry = Registry()
    registry.add("work", hang, time_limit_seconds=0.05)
    await enqueue(jobs, "a")
    await jobs.run_due(registry)
    (row,) = await JobRow.select()
    assert stopped == ["a"]
    assert row["last_error"].startswith("TimeoutError")


async def test_forty_jobs_and_five_workers_and_none_is_held_twice(database: Database, worker: Worker) -> None:
    at_work: set[str] = set()

    async def alone(job: Job) -> None:
        assert job.key not in at_work
        at_work.add(job.key)
        await asyncio.sleep(0.002)
        at_work.remove(job.key)

    worker.then = alone
    stop = asyncio.Event()
    await enqueue(EmbeddedJobs(), *(f"job {number}" for number in range(40)))
    workers = [EmbeddedJobs(poll_seconds=0.01) for _ in range(5)]
    tasks = [asyncio.create_task(each.run(worker.registry, Schedule(), stop)) for each in workers]
    await until(lambda: len(worker.done) >= 40)
    stop.set()
    await asyncio.gather(*tasks)
    assert len(worker.done) == len(set(worker.done)) == 40


async def test_a_lease_that_ran_out_is_offered_again(jobs: EmbeddedJobs, worker: Worker) -> None:
    await enqueue(jobs, "a")
    async with transaction():
        await JobRow.update(
            {JobRow.locked_by: JobRow.id, JobRow.locked_until: NOON + timedelta(seconds=60), JobRow.attempts: 1}
        ).where(JobRow.key == "a")
    assert await jobs.drain(worker.registry) == 0
    clock.travel_by(timedelta(seconds=61))
    assert await jobs.drain(worker.registry) == 1


async def test_a_long_job_keeps_its_lease(database: Database, worker: Worker) -> None:
    jobs = EmbeddedJobs(lease=timedelta(seconds=0.3), poll_seconds=0.02)
    go_on = asyncio.Event()

    async def long(job: Job) -> None:
        await go_on.wait()

    worker.then = long
    await enqueue(jobs, "a")
    async with running(jobs, worker.registry):
        for _ in range(4):
            (row,) = await JobRow.select(JobRow.locked_until)
            clock.travel_by(timedelta(seconds=0.2))
            await renewed(row["locked_until"])
            assert await EmbeddedJobs().run_due(worker.registry) == 0
        go_on.set()
        await until(lambda: worker.done == ["a"])


async def test_who_lost_the_lease_stops_and_changes_nothing(database: Database, worker: Worker) -> None:
    jobs = EmbeddedJobs(lease=timedelta(seconds=0.1), poll_seconds=0.02)
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def long(job: Job) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    worker.then = long
    await enqueue(jobs, "a")
    async with running(jobs, worker.registry):
        await begun.wait()
        far = NOON + timedelta(days=1)
        async with transaction():
            await JobRow.update({JobRow.locked_by: JobRow.id, JobRow.locked_until: far}).where(JobRow.key == "a")
        await asyncio.wait_for(stopped.wait(), 60)
    (row,) = await JobRow.select()
    assert (row["locked_by"], row["done_at"], row["last_error"]) == (row["id"], None, None)


async def test_stopping_gives_back_what_is_not_finished(database: Database, worker: Worker) -> None:
    jobs = EmbeddedJobs(patience_seconds=0, poll_seconds=0.02)
    begun = asyncio.Event()

    async def long(job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    worker.then = long
    await enqueue(jobs, "a")
    async with running(jobs, worker.registry):
        await begun.wait()
    (row,) = await JobRow.select()
    assert (row["locked_by"], row["attempts"], row["done_at"]) == (None, 0, None)
    worker.then = None
    assert await jobs.drain(worker.registry) == 1


async def test_stopping_waits_for_what_is_nearly_finished(jobs: EmbeddedJobs, worker: Worker) -> None:
    begun = asyncio.Event()

    async def short(job: Job) -> None:
        begun.set()
        await asyncio.sleep(0.1)

    worker.then = short
    await enqueue(jobs, "a")
    async with running(jobs, worker.registry):
        await begun.wait()
    assert worker.done == ["a"]


async def test_a_worker_outlives_a_database_that_is_away(
    jobs: EmbeddedJobs, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selfcare.jobs import store

    real, broken = store.claim, []

    async def claim(*args: object, **more: object) -> object:
        if len(broken) < 3:
            broken.append(1)
            raise ConnectionError("gone")
        return await real(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "claim", claim)
    async with running(jobs, worker.registry):
        await enqueue(jobs, "a")
        await until(lambda: worker.done == ["a"])
    assert len(broken) == 3


KILLED = """
import asyncio, sys
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.db.engine import open_database
from selfcare.jobs.registry import Registry
from selfcare.jobs.schedule import Schedule

async def work(job):
    print("begun", flush=True)
    await asyncio.Event().wait()

async def main(url):
    await open_database(url)
    registry = Registry()
    registry.add("work", work, tries=3)
    await EmbeddedJobs().run(registry, Schedule(), asyncio.Event())

asyncio.run(main(sys.argv[1]))
"""


async def kill_a_worker_in_the_middle(url: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), 120) == b"begun\n"
    process.kill()
    assert await process.wait() == -signal.SIGKILL


async def test_a_worker_killed_in_the_middle_leaves_the_job_to_the_next(
    database: Database, jobs: EmbeddedJobs, worker: Worker
) -> None:
    clock.reset()
    await enqueue(jobs, "a")
    await kill_a_worker_in_the_middle(database.url)
    assert await jobs.drain(worker.registry) == 0
    clock.travel_by(timedelta(seconds=61))
    assert await jobs.drain(worker.registry) == 1
    (row,) = await JobRow.select(JobRow.attempts)
    assert (worker.done, row["attempts"]) == (["a"], 2)


async def test_a_job_that_kills_every_worker_is_given_up(jobs: EmbeddedJobs, worker: Worker) -> None:
    await enqueue(jobs, "a")
    async with transaction():
        await JobRow.update({JobRow.attempts: 3}).where(JobRow.key == "a")
    await jobs.run_due(worker.registry)
    assert worker.done == []
    assert [letter.error for letter in await jobs.given_up(limit=1)] == ["The worker died 3 times while doing this."]


async def test_a_clock_turned_back_does_not_hold_up_new_work(jobs: EmbeddedJobs, worker: Worker) -> None:
    await enqueue(jobs, "a")
    clock.travel_by(-timedelta(hours=1))
    assert await jobs.drain(worker.registry) == 1


async def test_a_clock_turned_back_does_not_hold_up_the_work_of_a_dead_worker(
    database: Database, worker: Worker
) -> None:
    jobs = EmbeddedJobs(lease=timedelta(seconds=0.1), poll_seconds=0.02)
    await enqueue(jobs, "a")
    async with transaction():
        await JobRow.update(
            {JobRow.locked_by: JobRow.id, JobRow.locked_until: NOON + timedelta(seconds=60), JobRow.attempts: 1}
        ).where(JobRow.key == "a")
    clock.travel_by(-timedelta(hours=1))
    async with running(jobs, worker.registry):
        await until(lambda: worker.done == ["a"])


async def test_a_clock_turned_back_does_not_take_work_from_a_living_worker(database: Database, worker: Worker) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def long(job: Job) -> None:
        begun.set()
        await go_on.wait()

    worker.then = long
    await enqueue(EmbeddedJobs(), "a")
    async with running(EmbeddedJobs(lease=timedelta(seconds=0.3), poll_seconds=0.02), worker.registry):
        await begun.wait()
        (row,) = await JobRow.select(JobRow.locked_until)
        clock.travel_by(-timedelta(hours=1))
        # Without a lease of its own it holds everything for dead that stands as it stood at its last look.
        rival, looks = Worker(), EmbeddedJobs(lease=timedelta())
        await looks._begin_what_is_due(rival.registry, Schedule(), {})
        await renewed(row["locked_until"])
        for _look in range(2):
            await looks._begin_what_is_due(rival.registry, Schedule(), {})
        go_on.set()
        await until(lambda: worker.done == ["a"])
    assert rival.done == []


def hourly() -> Schedule:
    schedule = Schedule()
    schedule.every("work", timedelta(hours=1))
    return schedule


async def test_what_recurs_is_done_each_time_it_is_due(jobs: EmbeddedJobs, worker: Worker) -> None:
    schedule = hourly()
    done = []
    for _ in range(9):
        done.append(await jobs.drain(worker.registry, schedule))
        clock.travel_by(timedelta(minutes=30))
    assert done == [0, 0, 1, 0, 1, 0, 1, 0, 1]


async def test_a_daily_job_keeps_its_hour_when_the_clocks_change(jobs: EmbeddedJobs, worker: Worker) -> None:
    schedule = Schedule()
    schedule.daily("work", at=time(3), zone="Europe/London")
    clock.travel_to(datetime(2026, 10, 23, 12, tzinfo=UTC))
    done = []
    for _ in range(24 * 4):
        if await jobs.drain(worker.registry, schedule):
            done.append(clock.now())
        clock.travel_by(timedelta(hours=1))
    assert [at.isoformat()[:16] for at in done] == [
        "2026-10-24T02:00",
        "2026-10-25T03:00",
        "2026-10-26T03:00",
        "2026-10-27T03:00",
    ]


async def test_after_a_long_night_what_recurs_is_done_once(jobs: EmbeddedJobs, worker: Worker) -> None:
    schedule = hourly()
    await jobs.drain(worker.registry, schedule)
    clock.travel_by(timedelta(days=3))
    assert await jobs.drain(worker.registry, schedule) == 1


async def test_what_recurs_is_not_started_beside_itself(jobs: EmbeddedJobs, worker: Worker) -> None:
    worker.then = fail
    schedule = hourly()
    await jobs.run_due(worker.registry, schedule)
    for _ in range(2):
        clock.travel_by(timedelta(hours=1))
        await jobs.run_due(worker.registry, schedule)
    assert await JobRow.count() == 1


async def test_a_clock_turned_back_does_not_hold_up_what_recurs(jobs: EmbeddedJobs, worker: Worker) -> None:
    schedule = hourly()
    await jobs.drain(worker.registry, schedule)
    clock.travel_by(-timedelta(days=1))
    await jobs.drain(worker.registry, schedule)
    clock.travel_by(timedelta(hours=1))
    assert await jobs.drain(worker.registry, schedule) == 1


async def test_a_schedule_without_a_handler_is_refused_at_start(jobs: EmbeddedJobs) -> None:
    with pytest.raises(LookupError, match="work"):
        await jobs.run(Registry(), hourly(), asyncio.Event())


FIRING = """
import asyncio, sys
from datetime import datetime, timedelta
from selfcare.db.engine import open_database
from selfcare.jobs import store
from selfcare.jobs.schedule import Schedule
from selfcare.kernel import clock

async def main(url, begin, mark):
    database = await open_database(url)
    schedule = Schedule()
    schedule.every("work", timedelta(hours=1))
    clock.travel_to(datetime.fromisoformat(begin))
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for _ in range(10):
        await store.fire(schedule)
    await database.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_fire_what_recurs_once(database: Database, jobs: EmbeddedJobs, worker: Worker) -> None:
    await jobs.drain(worker.registry, hourly())
    due = (NOON + timedelta(hours=1)).isoformat()
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", FIRING, database.url, due, "", stdin=pipe, stdout=pipe
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.close()
    assert [await process.wait() for process in processes] == [0, 0]
    assert await JobRow.count() == 1
