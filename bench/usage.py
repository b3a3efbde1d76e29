"""`just bench-usage`: usage and services where there is a lot of both.

The usage pages at 100,000 customers with 50 records each beside 1,000; the list of a business with 10,000 services;
and the download of 1,000,000 records through HTTP with what the server's memory does meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
from pathlib import Path
from time import perf_counter
from uuid import UUID

from bench import client
from bench.__main__ import GROWTH_ALLOWED, Case, Server, _pin, _say, measure, table
from selfcare.db.engine import open_database
from selfcare.db.migrate import migrate
from selfcare.db.prepared import Prepared, fetch_one
from selfcare.demo.load import is_loaded, load
from selfcare.kernel import clock
from selfcare.kernel.ids import token_hash

RECORDS_EACH = 50
SERVICES = 10_000
RECORDS = 1_000_000
LEAST_OF_STATIC = 0.6
MOST_GROWTH_MIB = 32
CHUNK = 1 << 20

OWNER = Prepared.sql(
    """
    SELECT m.customer_id AS customer_id FROM session s JOIN membership m ON m.user_id = s.user_id
     WHERE s.id_hash = :hash ORDER BY m.id LIMIT 1
    """
)


async def prepare(place: Path, customers: int) -> str:
    """Kept for the next time."""
    place.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{place.absolute() / f'{customers}x{RECORDS_EACH}.db'}"
    database = await open_database(url)
    try:
        await migrate()
        if not await is_loaded():
            print(f"loading {customers:,} customers with {RECORDS_EACH} records each …", flush=True)
            begun = perf_counter()
            await load(now=clock.now(), progress=lambda *_: None, customers=customers, records_each=RECORDS_EACH)
            print(f"  took {perf_counter() - begun:.0f} s", flush=True)
    finally:
        await database.close()
    return url


def give(url: str, customer: UUID) -> UUID:
    """This customer's first line gets a million records, and the customer ten thousand services more."""
    file = sqlite3.connect(url.removeprefix("sqlite:///"))
    with file:
        line = file.execute(
            "SELECT id FROM service WHERE customer_id = ? AND type = 'mobile' ORDER BY id LIMIT 1", (str(customer),)
        ).fetchone()[0]
        have = file.execute("SELECT count(*) FROM service WHERE customer_id = ?", (str(customer),)).fetchone()[0]
        if have < SERVICES:
            file.execute(
                _COPIES.format(columns=_columns(file, "service"), values=_values(file, "service", _SERVICE)),
                (SERVICES, line),
            )
        held = file.execute("SELECT count(*) FROM usage_record WHERE service_id = ?", (line,)).fetchone()[0]
        if held < RECORDS:
            one = file.execute("SELECT id FROM usage_record WHERE service_id = ? LIMIT 1", (line,)).fetchone()[0]
            file.execute(
                _MORE.format(columns=_columns(file, "usage_record"), values=_values(file, "usage_record", _RECORD)),
                (RECORDS, one),
            )
    file.close()
    return UUID(line)


_NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
_COPIES = f"INSERT INTO service ({{columns}}) {_NUMBERS} SELECT {{values}} FROM n, service t WHERE t.id = ?"
_MORE = f"INSERT INTO usage_record ({{columns}}) {_NUMBERS} SELECT {{values}} FROM n, usage_record t WHERE t.id = ?"
_ID = "printf('01900000-{}-7000-8000-%012x', i)"
_SERVICE = {
    "id": _ID.format("00aa"),
    "name": "printf('Line %05d', i)",
    "nickname": "NULL",
    "msisdn": "printf('+4479%08d', i)",
    "iccid": "NULL",
    "ocs_account": "NULL",
    "external_id": "NULL",
}
_RECORD = {
    "id": _ID.format("00bb"),
    "external_id": "printf('bench-%d', i)",
    "started_at": "strftime('%Y-%m-%d %H:%M:%f000+00:00', julianday(t.started_at) - i * 0.0003)",
}


def _columns(file: sqlite3.Connection, table_: str) -> str:
    return ", ".join(f'"{row[1]}"' for row in file.execute(f"PRAGMA table_info({table_})"))


def _values(file: sqlite3.Connection, table_: str, other: dict[str, str]) -> str:
    return ", ".join(other.get(row[1], f't."{row[1]}"') for row in file.execute(f"PRAGMA table_info({table_})"))


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


async def download(server: Server, path: str) -> None:
    """Reads the whole file and throws it away, looking at the server's memory while it comes."""
    cookie = f"sid={server.cookies[0]}"
    before, cpu, begun = resident_mib(server.process.pid), server.cpu_seconds, perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(client.request(path, cookie=cookie, port=server.port))
    highest, total, lines, head = before, 0, 0, b""
    while chunk := await reader.read(CHUNK):
        if not total:
            head = chunk[:200]
        total += len(chunk)
        lines += chunk.count(b"\n")
        highest = max(highest, resident_mib(server.process.pid))
        if b"\r\n0\r\n\r\n" in chunk[-16:]:
            break
    writer.close()
    seconds, used = perf_counter() - begun, server.cpu_seconds - cpu
    answer = head.partition(b"\r\n")[0].decode()
    name = path.rpartition("/")[2]
    print(f"  {name}: {answer}, {total / 2**20:.0f} MiB, {lines:,} lines")
    print(f"    {seconds:.1f} s, {used:.1f} CPU-s of the server, {RECORDS / used:,.0f} records per CPU-second")
    print(f"    resident {before:.0f} MiB before, {highest:.0f} MiB at most")
    _say(f"growth of memory, MiB, {path[-4:]}", highest - before, MOST_GROWTH_MIB, "<=")


async def owner_of(url: str, cookie: str) -> UUID:
    database = await open_database(url)
    try:
        row = await fetch_one(OWNER.bind(hash=token_hash(cookie)))
        assert row is not None
        return UUID(str(row["customer_id"]))
    finally:
        await database.close()


async def main(options: argparse.Namespace) -> None:
    _pin(0, (os.cpu_count() or 1) - 1)
    urls = {customers: await prepare(options.data, customers) for customers in options.customers}
    large = max(urls)
    servers = {
        customers: Server(url, options.port + n, min(customers, 400)) for n, (customers, url) in enumerate(urls.items())
    }
    for server in servers.values():
        await server.__aenter__()
    try:
        cases = [
            Case("plain text", "/bench/text"),
            Case("static page", "/bench/static"),
            Case("dashboard", "/", signed_in=True),
            Case("usage", "/usage", signed_in=True),
        ]
        for server in servers.values():
            await client.once(server.port, server.requests(cases[2])[0])
        results = await measure(
            servers, cases, rounds=options.rounds, seconds=options.seconds, connections=options.connections
        )
        for customers, result in results.items():
            table(customers, result, cases)
        _say(f"usage ÷ static page at {large:,}", results[large].ratio("usage", "static page"), LEAST_OF_STATIC, ">=")
        small = min(urls)
        if small != large:
            pairs = zip(results[small].per_cpu["usage"], results[large].per_cpu["usage"], strict=True)
            grown = sorted(few / many for few, many in pairs)
            _say(f"CPU of usage, {large:,} ÷ {small:,}", grown[len(grown) // 2], GROWTH_ALLOWED, "<=")
        await _one_customer(servers[large], urls[large], options)
    finally:
        for server in servers.values():
            await server.__aexit__()


async def _one_customer(server: Server, url: str, options: argparse.Namespace) -> None:
    customer = await owner_of(url, server.cookies[0])
    own = Case("usage of one line, 50 records", "", signed_in=True)
    file = sqlite3.connect(url.removeprefix("sqlite:///"))
    line = file.execute(
        "SELECT id FROM service WHERE customer_id = ? AND type = 'mobile' ORDER BY id LIMIT 1", (str(customer),)
    ).fetchone()[0]
    file.close()
    print("\nOne customer, medians of single requests in ms")
    await _timed(server, own.name, f"/usage/{line}")
    begun = perf_counter()
    line_id = await asyncio.to_thread(give, url, customer)
    print(f"  given {SERVICES:,} services and {RECORDS:,} records in {perf_counter() - begun:.0f} s")
    last = SERVICES // 25
    for name, path in (
        (f"services, first page of {SERVICES:,}", "/services"),
        ("services, last page", f"/services?page={last}"),
        ("services, searched by name", "/services?q=line+09876"),
        ("services, searched by number", "/services?q=07900+009876"),
        ("services, those that end soon", "/services?state=expiring"),
        ("usage, first page", "/usage"),
        ("usage, last page", f"/usage?page={last}"),
        ("usage, searched by name", "/usage?q=line+09876"),
        (f"usage of one line, {RECORDS:,} records", f"/usage/{line_id}"),
        ("its records, first page", f"/usage/{line_id}/records"),
    ):
        await _timed(server, name, path)
    print(f"\nDownload of {RECORDS:,} records")
    for form in ("csv", "json"):
        await download(server, f"/usage/{line_id}/records.{form}")


async def _timed(server: Server, name: str, path: str, times: int = 25) -> None:
    cookie = f"sid={server.cookies[0]}"
    asked = client.request(path, cookie=cookie, port=server.port)
    took, cpu = [], server.cpu_seconds
    for _ in range(times):
        begun = perf_counter()
        status, body = await client.once(server.port, asked)
        took.append(perf_counter() - begun)
        assert status == 200, (path, status)
    each = (server.cpu_seconds - cpu) / times
    _status, packed = await client.once(server.port, client.request(path, cookie=cookie, accept="br", port=server.port))
    milliseconds = sorted(took)[len(took) // 2] * 1000
    print(f"  {name:40}{milliseconds:8.1f} ms {each * 1000:7.1f} CPU-ms {len(body):>8,} bytes, sent as {len(packed):,}")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=lambda text: [int(n) for n in text.split(",")], default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--port", type=int, default=8134)
    parser.add_argument("--data", type=Path, default=Path("var/bench"))
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(options()))
