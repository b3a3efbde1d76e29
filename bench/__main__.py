"""`just bench`: requests per CPU-second of the pages beside plain text and static pages, at two sizes of database.

A static page is the page's own template with fixed values, rendered by Litestar and Jinja as they come.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import client
from bench.server import SAMPLED
from selfcare.db.engine import open_database
from selfcare.db.migrate import migrate
from selfcare.demo.load import is_loaded, load
from selfcare.kernel import clock

TICKS = os.sysconf("SC_CLK_TCK")
COOKIE = "sid"


@dataclass(frozen=True)
class Case:
    name: str
    path: str
    signed_in: bool = False
    accept: str = ""


CASES = (
    Case("plain text", "/bench/text"),
    Case("static page", "/bench/static/dashboard"),
    Case("static page of usage", "/bench/static/usage"),
    Case("static page of bills", "/bench/static/bills"),
    Case("static page in our Jinja", "/bench/frozen"),
    Case("plain table in our Jinja", "/bench/table"),
    Case("dashboard", "/", signed_in=True),
    Case("dashboard, brotli", "/", signed_in=True, accept="br, gzip"),
    Case("services", "/services", signed_in=True),
    Case("usage", "/usage", signed_in=True),
    Case("bills", "/billing/invoices", signed_in=True),
)
TARGETS = (
    ("dashboard", "static page", 0.7),
    ("usage", "static page of usage", 0.6),
    ("bills", "static page of bills", 0.6),
)
GROWTH_ALLOWED = 1.25


@dataclass
class Server:
    """`pinned` to the processor of whoever asks.

    What a machine calls two processors is often one core: then whoever asks takes from whoever answers, and time of the
    server counts more than it did. On one processor they take turns, and of the server its own time is counted.
    """

    url: str
    port: int
    people: int
    pinned: bool = True
    process: subprocess.Popen[str] = field(init=False)
    cookies: list[str] = field(init=False)

    async def __aenter__(self) -> Server:
        command = [sys.executable, "-m", "bench.server", self.url, str(self.port), str(self.people)]
        # What it writes to its log is written, but read by nobody.
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if self.pinned:
            _pin(self.process.pid, 0)
        assert self.process.stdout is not None
        self.cookies = json.loads(await asyncio.to_thread(self.process.stdout.readline))
        for _ in range(100):
            try:
                await client.once(self.port, client.request("/healthz", port=self.port))
            except OSError:
                await asyncio.sleep(0.1)
            else:
                return self
        raise RuntimeError("the server did not come up")

    async def __aexit__(self, *error: object) -> None:
        self.process.terminate()
        await asyncio.to_thread(self.process.wait)

    @property
    def cpu_seconds(self) -> float:
        """User and system time of all its threads."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / TICKS

    def requests(self, case: Case) -> list[bytes]:
        cookies = [f"{COOKIE}={token}" for token in self.cookies] if case.signed_in else [""]
        return [client.request(case.path, cookie=cookie, accept=case.accept, port=self.port) for cookie in cookies]


async def prepare(place: Path, customers: int) -> str:
    """A database with that many customers, kept for the next time."""
    place.mkdir(parents=True, exist_ok=True)
    url = f"sqlite:///{place.absolute() / f'{customers}.db'}"
    database = await open_database(url)
    try:
        await migrate()
        if not await is_loaded():
            print(f"loading {customers:,} customers …", flush=True)
            await load(now=clock.now(), progress=lambda *_: None, customers=customers)
    finally:
        await database.close()
    return url


async def measure(
    servers: dict[int, Server], cases: list[Case], *, rounds: int, seconds: float, connections: int
) -> dict[int, Results]:
    """Every case of every size takes its short turn in every round: what else the machine does meets them all."""
    results = {customers: Results() for customers in servers}
    for round_ in range(-1, rounds):
        for case in cases:
            for customers, server in servers.items():
                before = server.cpu_seconds
                run = await client.as_fast_as_it_goes(
                    server.port, server.requests(case), connections=connections, seconds=seconds
                )
                # The first round warms up.
                if round_ >= 0:
                    results[customers].add(case.name, run, server.cpu_seconds - before)
    return results


class Results:
    def __init__(self) -> None:
        self.per_cpu: dict[str, list[float]] = {}
        self.all: dict[str, client.Run] = {}

    def add(self, name: str, run: client.Run, cpu: float) -> None:
        self.per_cpu.setdefault(name, []).append(run.requests / max(cpu, 1 / TICKS))
        self.all.setdefault(name, client.Run()).include(run)

    def median(self, name: str) -> float:
        return statistics.median(self.per_cpu[name])

    def ratio(self, name: str, base: str) -> float:
        """The median of the ratios of each round: neighbours in time are compared."""
        return statistics.median(a / b for a, b in zip(self.per_cpu[name], self.per_cpu[base], strict=True))


async def answered(server: Server) -> list[Case]:
    """The cases whose pages exist in this checkout."""
    found = []
    # The pages first: the static ones take their values from them.
    for case in sorted(CASES, key=lambda case: not case.signed_in):
        asked = server.requests(case)[:SAMPLED]
        statuses = {status for status, _body in [await client.once(server.port, each) for each in asked]}
        if statuses == {200}:
            found.append(case)
        else:
            print(f"  {case.name}: {case.path} answers {sorted(statuses)}, left out")
    return sorted(found, key=CASES.index)


def table(customers: int, results: Results, cases: list[Case]) -> None:
    bases = {"÷ text": "plain text", "÷ static": "static page", "÷ table": "plain table in our Jinja"}
    print(f"\n{customers:,} customers")
    print(f"  {'':36}{'bytes':>8}{'req/cpu-s':>11}" + "".join(f"{each:>10}" for each in (*bases, "p50 ms", "p99 ms")))
    for case in cases:
        name, run = case.name, results.all[case.name]
        bad = {status: many for status, many in run.statuses.items() if status != 200}
        ratios = "".join(f"{results.ratio(name, base):>10.2f}" for base in bases.values())
        times = "".join(f"{run.quantile(part) * 1000:>10.1f}" for part in (0.5, 0.99))
        print(
            f"  {name:36}{run.body_bytes:>8,}{results.median(name):>11,.0f}{ratios}{times}"
            + (f"   NOT 200: {bad}" if bad else "")
        )


def verdicts(everything: dict[int, Results]) -> None:
    print("\nTargets")
    for customers, results in everything.items():
        for name, base, least in TARGETS:
            if name in results.per_cpu:
                _say(f"{name} ÷ {base} at {customers:,}", results.ratio(name, base), least, ">=")
    if len(everything) > 1:
        small, large = min(everything), max(everything)
        for name in ("dashboard", "services", "usage", "bills"):
            if name in everything[large].per_cpu:
                pairs = zip(everything[small].per_cpu[name], everything[large].per_cpu[name], strict=True)
                growth = statistics.median(few / many for few, many in pairs)
                _say(f"CPU of {name}, {large:,} ÷ {small:,}", growth, GROWTH_ALLOWED, "<=")


def _say(what: str, value: float, bound: float, sign: str) -> None:
    good = value >= bound if sign == ">=" else value <= bound
    print(f"  {what:48}{value:6.2f}   {sign} {bound:<5} {'ok' if good else 'MISSED'}")


async def half_load(customers: int, server: Server, seconds: float) -> None:
    """Of what the server can do while whoever asks has the other processor."""
    asked = server.requests(next(case for case in CASES if case.name == "dashboard"))
    whole = await client.as_fast_as_it_goes(server.port, asked, connections=8, seconds=seconds / 2)
    rate = whole.requests / whole.seconds / 2
    run = await client.at_a_rate(server.port, asked, per_second=rate, seconds=seconds)
    p50, p99 = run.quantile(0.5) * 1000, run.quantile(0.99) * 1000
    print(f"  dashboard at {customers:,}, half load ({rate:.0f}/s): p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    _say("p99 ÷ p50 at half load", p99 / p50, 6, "<=")


def _pin(pid: int, cpu: int) -> None:
    if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, {cpu})


async def main(options: argparse.Namespace) -> None:
    _pin(0, 0)
    urls = {customers: await prepare(options.data, customers) for customers in options.customers}
    async with AsyncExitStack() as stack:
        servers = {
            customers: await stack.enter_async_context(Server(url, options.port - number, min(customers, 400)))
            for number, (customers, url) in enumerate(urls.items())
        }
        for server in servers.values():
            cases = await answered(server)
        everything = await measure(
            servers, cases, rounds=options.rounds, seconds=options.seconds, connections=options.connections
        )
        for customers, results in everything.items():
            table(customers, results, cases)
        verdicts(everything)
        # How long people wait is another question: there, they and the server do not take turns.
        _pin(0, 1)
        for customers, server in servers.items():
            if "dashboard" in everything[customers].per_cpu:
                await half_load(customers, server, 4.0)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=lambda text: [int(n) for n in text.split(",")], default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--port", type=int, default=8129)
    parser.add_argument("--data", type=Path, default=Path("var/bench"))
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(options()))
