from __future__ import annotations

import asyncio

import pytest

from selfcare.db.counters import take, take_block
from selfcare.db.engine import Database, transaction
from tests.db.runners import take_numbers
from tests.support.processes import together


async def test_numbers_begin_at_one_and_go_up(database: Database) -> None:
    async with transaction():
        assert [await take("invoice"), await take("invoice")] == [1, 2]
    async with transaction():
        assert await take("invoice") == 3
        assert await take("receipt") == 1


async def test_a_block_follows_and_is_followed(database: Database) -> None:
    async with transaction():
        assert await take("invoice") == 1
        assert list(await take_block("invoice", 3)) == [2, 3, 4]
        assert await take("invoice") == 5


async def test_a_number_taken_by_a_transaction_that_fails_is_given_again(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await take("invoice")
            raise ZeroDivisionError
    async with transaction():
        assert await take("invoice") == 1


async def test_many_at_once_get_different_numbers_without_gaps(database: Database) -> None:
    async def one() -> int:
        async with transaction():
            return await take("invoice")

    assert sorted(await asyncio.gather(*(one() for _ in range(40)))) == list(range(1, 41))


async def test_two_processes_share_one_counter_without_gaps(database: Database) -> None:
    one, two = await together(take_numbers, (database.url,), (database.url,))
    assert len(one) == len(two) == 30
    assert sorted([*one, *two]) == list(range(1, 61))
