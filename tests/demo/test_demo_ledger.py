"""The demo's past is kept in the ledger, so that what is used now goes on from there."""

from __future__ import annotations

from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch, fetch_one
from tests.support.lines import AUDIT


async def test_every_bucket_of_the_demo_adds_up(app: Application) -> None:
    rows = await fetch(AUDIT.bind())
    assert len(rows) > 20
    for row in rows:
        assert row["parts"] == row["consumed"], row
        assert row["is_unlimited"] or row["granted"] == row["consumed"] + row["remaining"] + row["forfeited"], row
        assert row["remaining"] >= 0


async def test_the_parts_of_a_record_are_the_record(app: Application) -> None:
    odd = Prepared.sql(
        """
        SELECT count(*) AS n FROM consumption c JOIN usage_record u ON u.id = c.record_id
          JOIN bucket b ON b.id = c.bucket_id
         WHERE b.kind <> 'money' AND u.seconds <> c.amount AND u.bytes <> c.amount AND u.count <> c.amount
        """
    )
    row = await fetch_one(odd.bind())
    assert row is not None
    assert row["n"] == 0
