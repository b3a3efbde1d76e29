"""What one read and one write cost, in each of the ways the code may do them. `python -m bench.engine [URL]`"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import uvloop

from selfcare.db.engine import open_database, transaction
from selfcare.db.migrate import migrate
from selfcare.db.prepared import Param, Prepared, execute, fetch, fetch_many
from selfcare.demo.load import is_loaded, load
from selfcare.identity.tables import Customer
from selfcare.kernel import clock
from selfcare.portal.billing.tables import Invoice

BILLS = Prepared(
    lambda: (
        Invoice.select(Invoice.number, Invoice.tax_minor, Invoice.due_on)
        .where(Invoice.customer_id == Param("customer"))
        .order_by(Invoice.due_on, ascending=False)
        .limit(5)
    )
)
RENAME = Prepared.sql("UPDATE customer SET tax_id = :text WHERE id = :id RETURNING id")


async def main(url: str) -> None:
    database = await open_database(url)
    try:
        await migrate()
        if not await is_loaded():
            await load(now=clock.now(), progress=lambda *_: None, customers=1000)
        ids: list[Any] = [row["id"] for row in await Customer.select(Customer.id).limit(500)]
        await _reads(ids)
        await _writes(ids)
    finally:
        await database.close()


async def _reads(ids: list[Any]) -> None:
    async def piccolo(i: int) -> object:
        return await (
            Invoice.select(Invoice.number, Invoice.tax_minor, Invoice.due_on)
            .where(Invoice.customer_id == ids[i % len(ids)])
            .order_by(Invoice.due_on, ascending=False)
            .limit(5)
        )

    async def prepared(i: int) -> object:
        return await fetch(BILLS.bind(customer=ids[i % len(ids)]))

    async def six(i: int) -> object:
        bound = BILLS.bind(customer=ids[i % len(ids)])
        return await fetch_many(bound, bound, bound, bound, bound, bound)

    for name, read in (("Piccolo, built each time", piccolo), ("prepared", prepared), ("six prepared in one", six)):
        await _time(name, read, times=2000)


async def _writes(ids: list[Any]) -> None:
    async def piccolo(i: int) -> object:
        async with transaction():
            return await Customer.update({Customer.tax_id: str(i)}).where(Customer.id == ids[i % len(ids)])

    async def prepared(i: int) -> object:
        async with transaction():
            return await execute(RENAME.bind(id=ids[i % len(ids)], text=str(i)))

    for name, write in (("write, Piccolo", piccolo), ("write, prepared", prepared)):
        await _time(name, write, times=500)
        await _time(f"{name}, 64 at once", write, times=1500, at_once=64)


async def _time(name: str, work: Callable[[int], Awaitable[object]], *, times: int, at_once: int = 1) -> None:
    await work(0)
    numbers = iter(range(times))
    waits: list[float] = []

    async def one() -> None:
        for i in numbers:
            begun = perf_counter()
            await work(i)
            waits.append(perf_counter() - begun)

    cpu, wall = process_time(), perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    cpu, wall = process_time() - cpu, perf_counter() - wall
    waits.sort()
    print(
        f"  {name:32}{cpu / times * 1e6:8.0f} µs CPU{times / wall:9.0f}/s"
        f"   p50 {waits[times // 2] * 1e3:7.2f} ms   p99 {waits[times * 99 // 100] * 1e3:7.2f} ms"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        where = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{Path(folder) / 'engine.db'}"
        uvloop.run(main(where))
