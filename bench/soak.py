"""`just load`, a part of `just soak`: load a running server for minutes and watch what must not grow.

Memory, threads, open files, errors.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from bench import client
from bench.__main__ import CASES, Server, prepare

MORE_MEMORY_ALLOWED = 1.15


@dataclass(frozen=True)
class Look:
    """The server's process at one moment."""

    memory_kib: int
    threads: int
    files: int

    @classmethod
    def at(cls, pid: int) -> Look:
        status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        return cls(int(status["VmRSS"].split()[0]), int(status["Threads"]), files)


async def soak(server: Server, *, minutes: float, per_second: float, step_seconds: float) -> bool:
    """True when nothing grew after the first quarter and nothing went wrong."""
    requests = [asked for case in CASES if not case.path.startswith("/bench") for asked in server.requests(case)]
    requests.append(client.request("/healthz", port=server.port))
    began, looks, wrong = monotonic(), [], 0
    print(f"  {'second':>8}{'requests':>10}{'p50 ms':>9}{'p99 ms':>9}{'MiB':>8}{'threads':>9}{'files':>7}")
    while monotonic() - began < minutes * 60:
        run = await client.at_a_rate(server.port, requests, per_second=per_second, seconds=step_seconds)
        look = Look.at(server.process.pid)
        looks.append(look)
        bad = {status: many for status, many in run.statuses.items() if status >= 500}
        wrong += sum(bad.values())
        print(
            f"  {monotonic() - began:>8.0f}{run.requests:>10,}{run.quantile(0.5) * 1000:>9.1f}"
            f"{run.quantile(0.99) * 1000:>9.1f}{look.memory_kib / 1024:>8.1f}{look.threads:>9}{look.files:>7}"
            + (f"   {bad}" if bad else ""),
            flush=True,
        )
    return _verdict(looks[len(looks) // 4], looks[-1], wrong)


def _verdict(settled: Look, last: Look, wrong: int) -> bool:
    checks = {
        f"errors: {wrong}": wrong == 0,
        f"memory ÷ memory when settled: {last.memory_kib / settled.memory_kib:.2f}": (
            last.memory_kib <= settled.memory_kib * MORE_MEMORY_ALLOWED
        ),
        f"threads: {settled.threads} → {last.threads}": last.threads <= settled.threads + 2,
        f"files: {settled.files} → {last.files}": last.files <= settled.files + 8,
    }
    for words, good in checks.items():
        print(f"  {'ok    ' if good else 'MISSED'} {words}")
    return all(checks.values())


async def main(options: argparse.Namespace) -> bool:
    url = await prepare(options.data, options.customers)
    async with Server(url, options.port, min(options.customers, 400)) as server:
        return await soak(
            server, minutes=options.minutes, per_second=options.per_second, step_seconds=options.step_seconds
        )


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--per-second", type=float, default=60)
    parser.add_argument("--step-seconds", type=float, default=10)
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--port", type=int, default=8128)
    parser.add_argument("--data", type=Path, default=Path("var/bench"))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(main(options())) else 1)
