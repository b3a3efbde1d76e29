from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from piccolo.engine.exceptions import TransactionError
from piccolo.query.base import Query

from selfcare.db.counting import counting
from selfcare.db.engine import Database, read_transaction, transaction
from selfcare.db.prepared import (
    Param,
    Prepared,
    as_date,
    as_json,
    as_moment,
    as_uuid,
    execute,
    execute_many,
    fetch,
    fetch_many,
    fetch_one,
    insert_many,
)
from selfcare.kernel.ids import new_id
from tests.db.things import NOON, WHOLE, Thing, a_thing, n_of

BY_NAME = Prepared(lambda: Thing.select().where(Thing.name == Param("name")))
NAMED = Prepared.sql("SELECT name FROM thing WHERE name IN :names ORDER BY name")
NOT_NAMED = Prepared.sql("SELECT name FROM thing WHERE name NOT IN :names ORDER BY name")
TOTAL = Prepared.sql("SELECT sum(n) AS total FROM thing", types={"total": int})


async def test_a_piccolo_query_gives_the_same_typed_values_on_both_databases(things: Database) -> None:
    id = await a_thing(**WHOLE)
    row = await fetch_one(BY_NAME.bind(name=WHOLE["name"]))
    assert row == {"id": id, **WHOLE}
    assert {name: value.__class__.__name__ for name, value in row.items()} == {
        "id": "UUID", "name": "str", "note": "str", "n": "int", "at": "datetime", "day": "date", "good": "bool",
        "extra": "dict",
    }  # fmt: skip
    assert row["at"].tzinfo == UTC


async def test_text_gives_the_same_typed_values_as_the_query(things: Database) -> None:
    await a_thing(**WHOLE)
    text = Prepared.sql("SELECT * FROM thing WHERE name = :name AND 'a:b' <> :name", types={"extra": as_json})
    assert await fetch(text.bind(name=WHOLE["name"])) == await fetch(BY_NAME.bind(name=WHOLE["name"]))


async def test_nothing_is_none_on_both(things: Database) -> None:
    await a_thing()
    row = await fetch_one(BY_NAME.bind(name="one"))
    assert row is not None
    assert [row[name] for name in ("note", "day", "good", "extra")] == [None] * 4
    assert await fetch_one(BY_NAME.bind(name="nobody")) is None
    assert await fetch_one(TOTAL.bind()) == {"total": 0}


async def test_expressions_are_what_types_says(things: Database) -> None:
    id = await a_thing("one", n=2**40, day=date(2026, 1, 2), extra=[1])
    await a_thing("two", n=2**40)
    best = Prepared.sql(
        "SELECT sum(n) AS n, max(at) AS at, min(day) AS day, count(*) AS many,"
        " (SELECT id FROM thing WHERE name = :name) AS id, (SELECT extra FROM thing WHERE name = :name) AS extra"
        " FROM thing",
        types={"n": int, "at": as_moment, "day": as_date, "id": as_uuid, "extra": as_json},
    )
    assert await fetch_one(best.bind(name="one")) == {
        "n": 2**41,
        "at": NOON,
        "day": date(2026, 1, 2),
        "many": 2,
        "id": id,
        "extra": [1],
    }


async def test_moments_compare_and_sort_as_moments_whatever_their_zone(things: Database) -> None:
    east = timezone(timedelta(hours=5))
    await a_thing("early", at=NOON)
    await a_thing("late", at=NOON + timedelta(microseconds=1))
    since = Prepared(lambda: Thing.select(Thing.name).where(Thing.at > Param("at")).order_by(Thing.at))
    assert await fetch(since.bind(at=NOON.astimezone(east))) == [{"name": "late"}]
    first = Prepared.sql("SELECT name, at FROM thing ORDER BY at LIMIT :many")
    assert await fetch(first.bind(many=1)) == [{"name": "early", "at": NOON}]


async def test_one_of_a_list(things: Database) -> None:
    ids = [await a_thing(name) for name in ("a", "b", "c")]
    assert await fetch(NAMED.bind(names=["a", "c", "x"])) == [{"name": "a"}, {"name": "c"}]
    assert await fetch(NOT_NAMED.bind(names=["a", "c", "x"])) == [{"name": "b"}]
    by_id = Prepared.sql("SELECT count(*) AS many FROM thing WHERE id IN :ids AND at IN :moments AND n IN :ns")
    assert await fetch_one(by_id.bind(ids=ids[:2], moments=[NOON], ns=[0, 1])) == {"many": 2}


async def test_one_of_nothing(things: Database) -> None:
    await a_thing("a")
    assert await fetch(NAMED.bind(names=[])) == []
    assert await fetch(NOT_NAMED.bind(names=[])) == [{"name": "a"}]


async def test_a_query_is_built_once(things: Database) -> None:
    built: list[int] = []

    def query() -> Query[Any, Any]:
        built.append(1)
        return Thing.select(Thing.n).where((Thing.name == Param("a")) | (Thing.name == Param("b")), Thing.n < 9)

    await a_thing("one", n=7)
    twice = Prepared(query)
    for _ in range(3):
        assert await fetch(twice.bind(a="nobody", b="one")) == [{"n": 7}]
    assert built == [1]


async def test_many_reads_are_one_moment(things: Database) -> None:
    """Money moves from one row to the other all the time; the sum of two separate reads never changes."""
    await a_thing("one", n=1000)
    await a_thing("two", n=0)

    async def move() -> None:
        for _ in range(40):
            async with transaction():
                await Thing.update({Thing.n: Thing.n - 1}).where(Thing.name == "one")
                await Thing.update({Thing.n: Thing.n + 1}).where(Thing.name == "two")

    mover = asyncio.create_task(move())
    sums: set[int] = set()
    seen: set[int] = set()
    while not mover.done():
        one, two = await fetch_many(BY_NAME.bind(name="one"), BY_NAME.bind(name="two"))
        seen.add(one[0]["n"])
        sums.add(one[0]["n"] + two[0]["n"])
    await mover
    assert len(seen) > 1
    assert sums == {1000}


async def test_a_transaction_reads_its_own_writes_and_others_do_not(things: Database) -> None:
    await a_thing("one", n=1)
    async with transaction():
        await Thing.update({Thing.n: 2}).where(Thing.name == "one")
        assert await fetch_one(TOTAL.bind()) == {"total": 2}
        assert await fetch_many(TOTAL.bind(), TOTAL.bind()) == ([{"total": 2}], [{"total": 2}])
        outside = asyncio.get_running_loop().run_in_executor(None, asyncio.run, _total_elsewhere(things.url))
        assert await outside == {"total": 1}


async def _total_elsewhere(url: str) -> Any:
    """On another event loop, where this transaction is not known."""
    return await fetch_one(TOTAL.bind())


async def test_a_write_gives_its_returning(things: Database) -> None:
    await a_thing("one", n=5, extra={"a": 1})
    spend = Prepared.sql(
        "UPDATE thing SET n = n - :n WHERE name = :name AND n >= :n RETURNING n, extra", types={"extra": as_json}
    )
    async with transaction():
        assert await execute(spend.bind(n=3, name="one")) == [{"n": 2, "extra": {"a": 1}}]
        assert await execute(spend.bind(n=3, name="one")) == []
    again = Prepared(lambda: Thing.update({Thing.n: Thing.n + 1}).where(Thing.name == Param("name")).returning(Thing.n))
    async with transaction():
        assert await execute(again.bind(name="one")) == [{"n": 3}]


async def test_many_writes_and_many_rows_at_once(things: Database) -> None:
    async with transaction():
        await insert_many(Thing, ({"id": new_id(), "name": f"t{i}", "at": NOON, "extra": [i]} for i in range(50)))
        add = Prepared.sql("UPDATE thing SET n = n + :n WHERE name = :name")
        await execute_many(add, [{"n": i, "name": f"t{i}"} for i in range(50)])
        await execute_many(add, [])
    assert await fetch_one(TOTAL.bind()) == {"total": sum(range(50))}
    row = await fetch_one(BY_NAME.bind(name="t7"))
    assert row is not None
    assert (row["extra"], row["note"]) == ([7], None)


@pytest.mark.parametrize("given", [{}, {"nmae": "one"}, {"name": "one", "also": 1}])
async def test_values_that_do_not_fit_are_refused(things: Database, given: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="takes"):
        BY_NAME.bind(**given)


async def test_a_time_without_a_zone_is_refused(things: Database) -> None:
    since = Prepared.sql("SELECT 1 AS x FROM thing WHERE at > :at")
    with pytest.raises(ValueError, match="zone"):
        since.bind(at=datetime(2026, 1, 1))


async def test_a_write_outside_a_transaction_is_refused(things: Database) -> None:
    await a_thing()
    spend = Prepared.sql("UPDATE thing SET n = 1")
    for run in (execute, fetch):
        with pytest.raises(TransactionError):
            await run(spend.bind())
    async with read_transaction():
        with pytest.raises(TransactionError):
            await execute(spend.bind())
    assert await n_of() == 0


async def test_every_statement_is_counted_piccolos_too(things: Database) -> None:
    await a_thing("one")
    with counting() as count:
        await n_of()
        await fetch_many(TOTAL.bind(), TOTAL.bind())
        async with transaction():
            await Thing.update({Thing.n: 1}).where(Thing.name == "one")
    assert len(count) == 4
    assert count.statements[-1].startswith("UPDATE")
    await n_of()
    assert len(count) == 4


async def test_a_short_read_answers_the_same_without_a_thread(things: Database) -> None:
    id = await a_thing(**WHOLE)
    quick = Prepared(lambda: Thing.select().where(Thing.id == Param("id")))
    assert await fetch_one(quick.bind(id=id), short=True) == {"id": id, **WHOLE}
    async with transaction():
        await Thing.update({Thing.n: 7}).where(Thing.id == id)
        row = await fetch_one(quick.bind(id=id), short=True)
        assert row is not None
        assert row["n"] == 7
    row = await fetch_one(quick.bind(id=id), short=True)
    assert row is not None
    assert row["n"] == 7


async def test_a_short_read_waits_in_a_thread_while_somebody_holds_the_file(things: Database) -> None:
    if things.dialect == "postgres":
        pytest.skip("no threads there")
    await a_thing()
    engine: Any = things.engine
    quick = Prepared.sql("SELECT n FROM thing WHERE name = :name")

    class Held:
        def read(self, *_: object) -> None:
            raise sqlite3.OperationalError("database is locked")

    engine._here[asyncio.get_running_loop()] = Held()
    assert await fetch_one(quick.bind(name="one"), short=True) == {"n": 0}
    del engine._here[asyncio.get_running_loop()]
