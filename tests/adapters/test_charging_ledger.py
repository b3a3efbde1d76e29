"""Whatever the order of grants, uses, ends and repeats: in every bucket the sum comes out."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.db.engine import open_database
from selfcare.db.prepared import Prepared, fetch
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.ports.charging import COVERED_BY, FIRST_USE, FIRST_USE_ABROAD, Asked, Delivery, Put, Use
from tests.support.lines import a_customer, a_line

START = datetime(2026, 3, 1, tzinfo=UTC)
LONG_STOP = timedelta(days=60)
LEDGER = Prepared.sql(
    """
    SELECT b.kind AS kind, b.granted AS granted, b.consumed AS consumed, b.remaining AS remaining,
           b.forfeited AS forfeited, b.consumed_before AS consumed_before, b.is_unlimited AS is_unlimited,
           (SELECT COALESCE(sum(c.amount), 0) FROM consumption c WHERE c.bucket_id = b.id) AS parts,
           (SELECT COALESCE(sum(g.amount), 0) FROM allowance_grant g WHERE g.bucket_id = b.id) AS grants
      FROM bucket b WHERE b.customer_id = :customer
    """,
    types=dict.fromkeys(("parts", "grants"), int),
)

kinds = st.sampled_from(["data", "voice", "sms", "mms", "money"])
amounts = st.integers(1, 50)
puts = st.builds(
    Put,
    kind=kinds,
    amount=amounts,
    label=st.sampled_from(["Plan", "Top-up"]),
    mode=st.sampled_from(["add", "add", "reset"]),
    scope=st.sampled_from(["any", "any", "national", "on_net", "international", "roaming", "premium"]),
    consume_order=st.integers(1, 3),
    blocker=st.sampled_from([False, False, False, True]),
    counts_mms=st.booleans(),
    waits_for=st.sampled_from([None, None, None, FIRST_USE, FIRST_USE_ABROAD]),
)
lasting = st.sampled_from([None, timedelta(hours=1), timedelta(days=1), timedelta(days=40)])
uses = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["data", "call", "sms", "mms"]),
        "amount": amounts,
        "class_": st.sampled_from(sorted(COVERED_BY)),
        "direction": st.sampled_from(["out", "out", "in"]),
        "cost_minor": st.integers(0, 60),
        "late": st.sampled_from([timedelta(0), timedelta(minutes=30), timedelta(days=2), timedelta(days=45)]),
    }
)


class Meter(RuleBasedStateMachine):
    runner: asyncio.Runner

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(clock.frozen(START))
        self.meter = EmbeddedCharging()
        self.deliveries: list[Delivery] = []
        self.batches: list[list[Use]] = []
        self.sent = 0
        self.put_in = 0
        self.counted = 0

    def run(self, work: Any) -> Any:
        return self.runner.run(work)

    @initialize()
    def a_line(self) -> None:
        self.owner = self.run(a_customer())
        self.lines = [self.run(a_line(self.owner)) for _ in range(2)]

    @rule(
        some=st.lists(puts, min_size=1, max_size=3),
        lasts=lasting,
        unlimited=st.sampled_from([False, False, False, True]),
        waits=st.sampled_from([None, None, timedelta(hours=2)]),
        reason=st.sampled_from(["purchase", "purchase", "renewal", "bonus"]),
        line=st.integers(0, 1),
    )
    def put(
        self, some: list[Put], lasts: timedelta | None, unlimited: bool, waits: timedelta | None, reason: str, line: int
    ) -> None:
        now = clock.now()
        starts = now + waits if waits else None
        expires = (starts or now) + lasts if lasts else None
        ready = []
        for each in some:
            money = each.kind == "money"
            ready.append(
                replace(
                    each,
                    currency="GBP" if money else None,
                    amount=None if unlimited and not money else each.amount,
                    expires_at=(expires or now + LONG_STOP) if each.waits_for else expires,
                    starts_at=None if each.waits_for else starts,
                    lasts_days=2 if each.waits_for else None,
                )
            )
        delivery = Delivery(
            order_id=new_id(),
            customer_id=self.owner.customer_id,
            service_id=self.lines[line],
            puts=tuple(ready),
            reason=reason,
        )
        self.run(self.meter.credit(delivery))
        self.deliveries.append(delivery)
        self.put_in += sum(each.amount or 0 for each in ready)

    @precondition(lambda self: self.deliveries)
    @rule(data=st.data())
    def put_again(self, data: st.DataObject) -> None:
        delivery = data.draw(st.sampled_from(self.deliveries))
        assert self.run(self.meter.was_applied(delivery))
        # What ended meanwhile may not be put in any more; either way nothing changes.
        if all(put.expires_at is None or put.expires_at > clock.now() for put in delivery.puts):
            self.run(self.meter.credit(delivery))

    @rule(some=st.lists(st.tuples(st.integers(0, 1), uses), min_size=1, max_size=6))
    def use(self, some: list[tuple[int, dict[str, Any]]]) -> None:
        batch = []
        for line, made in some:
            late = made["late"]
            self.sent += 1
            rest = {name: value for name, value in made.items() if name != "late"}
            batch.append(
                Use(
                    id=f"{self.owner.customer_id}-{self.sent}",
                    service=str(self.lines[line]),
                    at=clock.now() - late,
                    currency="GBP",
                    **rest,
                )
            )
        taken = self.run(self.meter.take(batch))
        assert (taken.counted, taken.repeated, taken.refused) == (len(batch), 0, ())
        self.batches.append(batch)
        self.counted += len(batch)

    @precondition(lambda self: self.batches)
    @rule(data=st.data())
    def use_again(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(self.batches))
        taken = self.run(self.meter.take(list(reversed(batch))))
        assert (taken.counted, taken.repeated, taken.refused) == (0, len(batch), ())

    @rule(step=st.sampled_from([timedelta(minutes=50), timedelta(days=1), timedelta(days=31)]))
    def time_passes(self, step: timedelta) -> None:
        if clock.now() + step < START + timedelta(days=250):
            clock.travel_by(step)

    @invariant()
    def every_bucket_adds_up(self) -> None:
        if not hasattr(self, "lines"):
            return
        rows = self.run(fetch(LEDGER.bind(customer=self.owner.customer_id)))
        for row in rows:
            assert row["remaining"] >= 0, row
            assert row["parts"] == row["consumed"] >= row["consumed_before"], row
            if not row["is_unlimited"]:
                assert row["granted"] == row["consumed"] + row["remaining"] + row["forfeited"], row
        assert sum(row["grants"] for row in rows) == self.put_in

    @invariant()
    def every_record_is_there_once_and_took_no_more_than_it_is(self) -> None:
        if not hasattr(self, "lines"):
            return
        found = self.run(self.meter.records(self.owner, Asked(), limit=1000)).records
        assert len(found) == self.counted
        for record in found:
            size = {"data": record.bytes, "call": record.seconds}.get(record.kind, record.count)
            parts = record.parts or ()
            assert sum(part.amount for part in parts if part.kind != "money") <= size
            assert sum(part.amount for part in parts if part.kind == "money") <= record.cost_minor

    @invariant()
    def the_figures_of_the_period_add_up(self) -> None:
        if not hasattr(self, "lines"):
            return
        for bucket in self.run(self.meter.balances(self.owner)).buckets:
            if not bucket.is_unlimited:
                assert bucket.granted == (bucket.consumed or 0) + bucket.remaining
            if bucket.waits_for is not None:
                assert not bucket.consumed

    def teardown(self) -> None:
        self.stack.close()


def test_the_sum_comes_out_whatever_happens(database_url: str, kind: str) -> None:
    with asyncio.Runner() as runner:
        database = runner.run(open_database(database_url))
        try:
            machine = type("OnThis", (Meter,), {"runner": runner})
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=40 if kind == "sqlite" else 20,
                    stateful_step_count=25,
                    deadline=None,
                    # To find the shortest way to a failure takes minutes with a database; add Phase.shrink for it.
                    phases=(Phase.explicit, Phase.reuse, Phase.generate),
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.close())
