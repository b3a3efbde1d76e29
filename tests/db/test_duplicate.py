from __future__ import annotations

import pytest

from selfcare.db.engine import Database, Duplicate, transaction
from selfcare.kernel.ids import new_id
from tests.db.things import NOON, Thing, a_thing


async def test_a_value_that_must_be_unique_is_a_duplicate_the_second_time(things: Database) -> None:
    await a_thing("one")
    with pytest.raises(Duplicate):
        await a_thing("one")
    assert await Thing.count() == 1


async def test_so_is_a_key(things: Database) -> None:
    id = await a_thing("one")
    with pytest.raises(Duplicate):
        await a_thing("two", id=id)


async def test_an_update_into_a_taken_value_is_one_too(things: Database) -> None:
    await a_thing("one")
    await a_thing("two")
    with pytest.raises(Duplicate):
        async with transaction():
            await Thing.update({Thing.name: "one"}).where(Thing.name == "two")


async def test_a_conflict_that_was_expected_is_none(things: Database) -> None:
    await a_thing("one")
    async with transaction():
        again = Thing(id=new_id(), name="one", at=NOON)
        answer = await Thing.insert(again).on_conflict(target=Thing.name, action="DO NOTHING").returning(Thing.id)
    assert answer == []


async def test_another_broken_rule_is_not_a_duplicate(things: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)check constraint"):
        await a_thing(n=-1)
