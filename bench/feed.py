"""`just bench-feed`: usage events per CPU-second, beside loops that only insert the record.

The same events each time, on a fresh SQLite database with 1,000 lines of three buckets. CPU of all threads.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sqlite3
import statistics
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.adapters.jobs_embedded import EmbeddedJobs
from selfcare.api.feeds.usage import feed, read_batch
from selfcare.db.engine import open_database, transaction
from selfcare.db.migrate import migrate
from selfcare.db.prepared import Prepared, fetch, insert_many
from selfcare.identity.tables import Customer
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from selfcare.portal.services.tables import Product, Service
from selfcare.ports.charging import Delivery, Put

LINES = 1_000
INSERT = """INSERT INTO usage_record (id, customer_id, service_id, kind, direction, class, started_at, seconds, bytes,
    count, other_party, country, cost_minor, currency, bucket_id, created_at, external_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
TARGET, RATIO = 2_000, 0.3


@dataclass(frozen=True)
class Ready:
    url: str
    lines: list[tuple[UUID, UUID]]


async def prepare(place: Path) -> Ready:
    url = f"sqlite:///{place / 'feed.db'}"
    database = await open_database(url)
    try:
        await migrate()
        lines = await _add_lines()
        meter = EmbeddedCharging()
        for customer, service in lines:
            await meter.credit(Delivery(order_id=new_id(), customer_id=customer, service_id=service, puts=_puts()))
    finally:
        await database.close()
    return Ready(url, lines)


def _puts() -> tuple[Put, ...]:
    ends = clock.now() + timedelta(days=30)
    return (
        Put(kind="data", amount=10**9, label="Bonus", origin="bonus", consume_order=1, expires_at=ends),
        Put(kind="data", amount=10**12, label="Plan data", origin="plan", consume_order=3, expires_at=ends),
        Put(kind="voice", amount=10**7, label="Plan minutes", origin="plan", consume_order=3, expires_at=ends),
        Put(kind="money", amount=10**6, label="Credit", currency="GBP"),
    )


async def _add_lines() -> list[tuple[UUID, UUID]]:
    now, product = clock.now(), new_id()
    lines = [(new_id(), new_id()) for _ in range(LINES)]
    common = {"created_at": now, "currency": "GBP"}
    async with transaction():
        row = {"id": product, "slug": "plan", "name": "Plan", "category": "plan", "service_type": "mobile"}
        await insert_many(Product, [row | {"tax_code": "standard"} | common])
        await insert_many(
            Customer,
            [
                {"id": customer, "number": f"{n}", "name": "Somebody", "type": "individual", "status": "open"}
                | {"pays": "prepaid", "zone": "Europe/London", "language": "en"}
                | common
                for n, (customer, _service) in enumerate(lines)
            ],
        )
        await insert_many(
            Service,
            [
                {"id": service, "customer_id": customer, "product_id": product, "name": "Mobile", "type": "mobile"}
                | {"state": "active", "ocs_account": str(service)}
                | common
                for customer, service in lines
            ],
        )
    return lines


def events(lines: list[tuple[UUID, UUID]], many: int) -> list[dict[str, Any]]:
    rng, now = Random(1), clock.now().replace(microsecond=0)
    made = []
    for n in range(many):
        common = {"id": f"cdr-{n}", "service": str(rng.choice(lines)[1])}
        common["at"] = (now - timedelta(seconds=many - n)).isoformat()
        if rng.random() < 0.8:
            use = {"kind": "data", "amount": rng.randint(10**4, 10**8), "unit": "bytes", "class": "on_net"}
        else:
            use = {"kind": "call", "amount": rng.randint(5, 900), "unit": "seconds", "class": "off_net"}
            use |= {"other_party": "+447700900301", "cost_minor": 30, "currency": "GBP"}
        made.append(common | use)
    return made


async def through_the_feed(prepared: Ready, made: list[dict[str, Any]]) -> None:
    """As the door does it: JSON of 1,000 records at a time, read, checked, counted."""
    bodies = [json.dumps({"records": made[n : n + 1000]}).encode() for n in range(0, len(made), 1000)]
    database = await open_database(prepared.url)
    try:
        await fetch(Prepared.sql("SELECT count(*) AS n FROM service").bind())
        meter, counted = EmbeddedCharging(EmbeddedJobs()), 0
        start = cpu()
        for body in bodies:
            counted += (await feed(meter, read_batch(body))).counted
        report.append(cpu() - start)
    finally:
        await database.close()
    assert counted == len(made), counted


async def raw_inserts(prepared: Ready, made: list[dict[str, Any]], *, at_once: int) -> None:
    """The barest loop that keeps the record: no reading, no checking, no counting."""
    customers = {str(service): str(customer) for customer, service in prepared.lines}
    rows = [
        (
            *(str(new_id()), customers[each["service"]], each["service"], each["kind"], "out", each["class"]),
            *(each["at"].replace("T", " "), 0, each["amount"], 0, each.get("other_party"), None, 0, "GBP", None),
            *(each["at"].replace("T", " "), each["id"]),
        )
        for each in made
    ]
    with closing(sqlite3.connect(prepared.url.removeprefix("sqlite:///"), isolation_level=None)) as raw:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            raw.execute(f"PRAGMA {pragma}")
        start = cpu()
        for n in range(0, len(rows), at_once):
            raw.execute("BEGIN IMMEDIATE")
            for row in rows[n : n + at_once]:
                raw.execute(INSERT, row)
            raw.execute("COMMIT")
        report.append(cpu() - start)


report: list[float] = []


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(options: argparse.Namespace) -> None:
    loops: dict[str, Callable[[Ready, list[dict[str, Any]]], Awaitable[None]]] = {
        "through the feed": through_the_feed,
        "raw insert, 500 to a commit": lambda p, m: raw_inserts(p, m, at_once=500),
        "raw insert, each committed": lambda p, m: raw_inserts(p, m[: len(m) // 10], at_once=1),
    }
    figures: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(options.rounds):
        for name, loop in loops.items():
            with tempfile.TemporaryDirectory() as place:
                prepared = await prepare(Path(place))
                made = events(prepared.lines, options.events)
                report.clear()
                await loop(prepared, made)
                many = len(made) // 10 if name.endswith("each committed") else len(made)
                figures[name].append(many / report[0])
    medians = {name: statistics.median(values) for name, values in figures.items()}
    fed = medians["through the feed"]
    for name, median in medians.items():
        print(f"  {name:32}{median:>10,.0f} events per CPU-second   feed ÷ this {fed / median:6.2f}")
    batched = medians["raw insert, 500 to a commit"]
    print(f"  at least {TARGET:,}: {'ok' if fed >= TARGET else 'MISSED'}")
    print(f"  ÷ raw insert loop at least {RATIO}: {'ok' if fed / batched >= RATIO else 'MISSED'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    asyncio.run(main(parser.parse_args()))
