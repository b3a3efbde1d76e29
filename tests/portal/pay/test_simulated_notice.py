from __future__ import annotations

from dataclasses import replace

import pytest

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch
from selfcare.jobs.registry import Registry
from selfcare.portal.pay import jobs
from tests.support.money import Counter

NOTED = Prepared.sql("SELECT event FROM audit_event WHERE event = 'pay.simulated'")


@pytest.mark.parametrize(("production", "entries"), [(True, 1), (False, 0)])
async def test_production_notes_every_day_that_nobody_really_pays(
    counter: Counter, production: bool, entries: int
) -> None:
    known = Registry()
    jobs.add(known, replace(counter.till, production=production))
    async with transaction():
        await counter.jobs.enqueue("pay.note_simulated", key="today", payload={})
    await counter.jobs.drain(known)
    assert len(await fetch(NOTED.bind())) == entries
