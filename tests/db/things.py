"""A table with a column of every type we use, and one that refers to it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from piccolo.columns import JSONB, BigInt, Boolean, Date, Text, Timestamptz, Varchar
from piccolo.columns import UUID as UUIDColumn
from piccolo.table import Table

from selfcare.db.engine import transaction
from selfcare.db.prepared import insert_many
from selfcare.kernel.ids import new_id

CREATE = (
    """
    CREATE TABLE thing (
        id UUID PRIMARY KEY,
        name VARCHAR(40) NOT NULL UNIQUE,
        note TEXT,
        n BIGINT NOT NULL CHECK (n = CAST(n AS BIGINT) AND n >= 0),
        at TIMESTAMPTZ NOT NULL,
        day DATE,
        good BOOLEAN,
        extra JSONB
    )
    """,
    """
    CREATE TABLE part (
        id UUID PRIMARY KEY,
        thing_id UUID NOT NULL REFERENCES thing (id) DEFERRABLE INITIALLY DEFERRED
    )
    """,
)


class Thing(Table, tablename="thing"):
    id = UUIDColumn(primary_key=True, default=None)
    name = Varchar(40)
    note = Text(null=True, default=None)
    n = BigInt(default=0)
    at = Timestamptz(default=None)
    day = Date(null=True, default=None)
    good = Boolean(null=True, default=None)
    extra = JSONB(null=True, default=None)


class Part(Table, tablename="part"):
    id = UUIDColumn(primary_key=True, default=None)
    thing_id = UUIDColumn(default=None)


NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


async def a_thing(name: str = "one", **values: Any) -> UUID:
    """Stored in a transaction of its own."""
    id = values.setdefault("id", new_id())
    async with transaction():
        await insert_many(Thing, [{"name": name, "at": NOON, **values}])
    return UUID(str(id))


async def n_of(name: str = "one") -> int:
    row = await Thing.select(Thing.n).where(Thing.name == name).first()
    assert row is not None
    return int(row["n"])


WHOLE: dict[str, Any] = {
    "name": "it's 5 o'clock: 🕔",
    "note": 'a "quoted" {brace} :colon',
    "n": 2**62 + 1,
    "at": datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC),
    "day": date(2026, 2, 28),
    "good": False,
    "extra": {"list": [1, "two", None], "deep": {"é": True}},
}
