from __future__ import annotations

from random import Random

import pytest

from selfcare.app import Application
from selfcare.demo import people
from selfcare.demo.simulator import What, use_something
from selfcare.ports.charging import Asked
from tests.support.lines import Owner


@pytest.mark.parametrize("what", What)
async def test_each_thing_that_can_be_done_is_counted_at_once(app: Application, what: What) -> None:
    charging, owner = app.ports.charging, Owner(people.PATEL.id)
    before = await charging.revision(owner, [people.ASHA_MOBILE])
    happened = await use_something(charging, people.ASHA_MOBILE, what=what, rng=Random(1))
    assert (happened.taken.counted, happened.taken.refused) == (1, ())
    assert await charging.revision(owner, [people.ASHA_MOBILE]) != before
    (newest,) = (await charging.records(owner, Asked(service_ids=[people.ASHA_MOBILE]), limit=1)).records
    assert (newest.kind, newest.class_) == (happened.use.kind, happened.use.class_)


async def test_left_to_chance_it_is_mostly_data(app: Application) -> None:
    rng = Random(7)
    done = [(await use_something(app.ports.charging, people.ASHA_MOBILE, rng=rng)).what for _ in range(30)]
    assert done.count(What.DATA) > 8
    assert len(set(done)) > 3
