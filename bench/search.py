"""`just bench-search`: does finding a customer among a million take much longer than among ten thousand?

Makes a database of each size, finds by every way there is in turn, and compares the 95th percentiles.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from selfcare.app import configure
from selfcare.db.engine import dialect, open_database, transaction
from selfcare.db.migrate import migrate
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import catalogue, load
from selfcare.demo.crowd import COLUMNS, FIRST_NAMES, LAST_NAMES
from selfcare.demo.people import DINA
from selfcare.identity import limits
from selfcare.identity.identity import Identity, Person
from selfcare.identity.passwords import Passwords
from selfcare.identity.rights import StaffRight
from selfcare.kernel import clock
from selfcare.kernel.origin import Origin
from selfcare.settings import Settings
from selfcare.staff.customers import search

ALLOWED = 3.0
AT_ONCE = 2_000
ANALYZED_EVERY = 100_000
WANTED = ("customer", "app_user", "membership", "contact", "service", "invoice")
ROUNDS = 40


async def fill(customers: int) -> None:
    await migrate()
    passwords = Passwords(memory_kib=64, passes=1, threads=1)
    await load.load(now=datetime(2026, 11, 22, 12, tzinfo=UTC), progress=lambda *_: None, passwords=passwords)
    passwords.close()
    since: Any = datetime(2026, 1, 1, tzinfo=UTC)
    day: Any = since.date()
    if dialect() == "sqlite":
        since, day = since.isoformat(sep=" "), day.isoformat()
    for first in range(1, customers + 1, AT_ONCE):
        made: dict[str, list[tuple[Any, ...]]] = {table: [] for table in WANTED}
        for n in range(first, min(first + AT_ONCE, customers + 1)):
            _add(made, n, since, day)
        async with transaction() as open_transaction:
            for table, rows in made.items():
                await open_transaction.insert(table, COLUMNS[table], rows)
        if dialect() == "postgres" and (first == 1 or first % ANALYZED_EVERY == 1):
            # Foreign keys are looked up by plans made while the tables were small.
            await analyze()
    if dialect() == "postgres":
        await analyze()


async def analyze() -> None:
    from selfcare.db.engine import database

    async with database().engine.migrating() as run:
        await run("ANALYZE")


def _add(made: dict[str, list[tuple[Any, ...]]], n: int, since: Any, day: Any) -> None:
    rng = Random(n)
    ids = {table: f"01900000-{place:04x}-7000-8000-{n:012x}" for place, table in enumerate(WANTED, 64)}
    customer, user, contact = ids["customer"], ids["app_user"], ids["contact"]
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}{rng.choice(('', 'son', 'ton', 'ley', 'man'))}"
    email, service = f"c{n}@example.test", ids["service"]
    where = "1 Elm Road\nLeeds\nLS1 4AP\nUnited Kingdom"
    made["customer"].append(
        (
            customer,
            f"3{n:07}",
            name,
            "individual",
            "open",
            "prepaid",
            True,
            "GBP",
            "Europe/London",
            "en",
            where,
            contact,
            since,
        )
    )
    made["app_user"].append((user, email, since, name, "x", "en", "system", since))
    made["membership"].append((ids["membership"], user, customer, "owner", since, since))
    made["contact"].append((contact, customer, name, "[]", email, user, True, since))
    made["service"].append(
        (service, customer, str(catalogue.LARK_5.id), None, "Mobile", "mobile", "active", None, since, True, 1000,
         "GBP", f"+4471{n:08}", service, False, False, "{}", since)
    )  # fmt: skip
    made["invoice"].append(
        (
            ids["invoice"],
            customer,
            f"BENCH-2026-{n:07}",
            "regular",
            day,
            day,
            day,
            day,
            "GBP",
            1000,
            200,
            1200,
            "settled",
            since,
        )
    )


async def measure(customers: int) -> dict[str, float]:
    """The 95th percentile in milliseconds of every way to find somebody."""
    now = clock.now()
    dina = Person(DINA.id, DINA.name, DINA.email)
    identity = Identity(
        dina, dina, None, None, frozenset(), frozenset(StaffRight), "bench", now, now, Origin("", "", "bench")
    )  # fmt: skip
    search.BY_STAFF = limits.Limit("bench", 10**9, timedelta(hours=1))
    rng = Random(7)
    some = [rng.randint(1, customers) for _round in range(ROUNDS)]
    people = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
    ways = {
        "first name": lambda n: rng.choice(people)[0],
        "last name": lambda n: rng.choice(people)[1],
        "whole name": lambda n: " ".join(rng.choice(people)),
        "words in another order": lambda n: " ".join(reversed(rng.choice(people))),
        "three letters": lambda n: rng.choice(people)[1][:3],
        "nobody": lambda n: "Xylophone Quux",
        "customer ID": lambda n: f"3{n:07}",
        "e-mail": lambda n: f"c{n}@example.test",
        "phone number": lambda n: f"071{n:08}",
        "service": lambda n: f"01900000-0044-7000-8000-{n:012x}",
        "bill": lambda n: f"BENCH-2026-{n:07}",
    }
    found: dict[str, float] = {}
    every: list[float] = []
    for way, typed in ways.items():
        await search.find(identity, typed(some[0]), region="GB")
        times = []
        for n in some:
            started = perf_counter()
            await search.find(identity, typed(n), region="GB")
            times.append((perf_counter() - started) * 1000)
        found[way] = statistics.quantiles(times, n=20)[18]
        every += times
    # One way alone is 40 searches: a single checkpoint of the database would be its 95th percentile.
    return {"all": statistics.quantiles(every, n=20)[18]} | found


async def run(sizes: list[int], options: argparse.Namespace, folder: Path) -> dict[int, dict[str, float]]:
    url = options.url
    configure(Settings())
    results = {}
    for size in sizes:
        database = await open_database(f"{url}{size}" if url else f"sqlite:///{folder}/{size}.db")
        try:
            begun = perf_counter()
            if options.fill:
                await fill(size)
            counted = await fetch(Prepared.sql("SELECT count(*) AS n FROM customer").bind())
            print(f"{counted[0]['n']:,} customers in {perf_counter() - begun:.0f} s", flush=True)
            results[size] = await measure(size)
        finally:
            await database.close()
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="10000,1000000")
    parser.add_argument("--url", default="", help="postgres://…/name_ : one empty database per size, its size appended")
    parser.add_argument("--keep", default="", help="a folder where the SQLite databases stay, for the next time")
    parser.add_argument("--filled", dest="fill", action="store_false", help="the databases are there from last time")
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with TemporaryDirectory() as folder:
        results = asyncio.run(run(sizes, options, Path(options.keep or folder)))
    small, large = results[sizes[0]], results[sizes[-1]]
    print(f"{'p95 in ms':26}{sizes[0]:>12,}{sizes[-1]:>12,}   ratio")
    for way, before in small.items():
        print(f"{way:26}{before:12.2f}{large[way]:12.2f}{large[way] / before:8.2f}")
    ratio = large["all"] / small["all"]
    print(f"the ratio over all ways is {ratio:.2f}; {ALLOWED} is allowed")
    raise SystemExit(ratio > ALLOWED)


if __name__ == "__main__":
    main()
