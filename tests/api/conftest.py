from __future__ import annotations

import pytest

from selfcare.db.engine import Database
from tests.support import money


@pytest.fixture
def counter(database: Database) -> money.Counter:
    return money.counter()


@pytest.fixture
async def purse(database: Database) -> money.Purse:
    return await money.purse()
