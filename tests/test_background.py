from datetime import timedelta

from selfcare import background
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.app import build_ports
from selfcare.audit import log as audit
from selfcare.db.engine import Database
from selfcare.kernel import clock
from selfcare.settings import Settings


async def test_everything_that_recurs_can_be_done(database: Database) -> None:
    audit.configure(b"k" * 32)
    schedule, registry = background.schedule(Settings()), background.registry(Settings(), build_ports(Settings()))
    schedule.check(registry)
    jobs = EmbeddedJobs()
    with clock.frozen(clock.now()):
        await jobs.drain(registry, schedule)
        clock.travel_by(timedelta(days=1, minutes=1))
        assert await jobs.drain(registry, schedule) == len(list(schedule))
        assert await jobs.drain(registry, schedule) == 0
