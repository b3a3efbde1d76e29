"""`just bench-sign-ins`: does hashing passwords slow the pages? The dashboard's p95 while 20 people sign in, and idle.

The 20 come one after the other without a pause, each from an address of its own, so the hashing never rests.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
from pathlib import Path
from time import perf_counter
from urllib.parse import urlencode

from bench import client
from bench.__main__ import CASES, Server, prepare
from selfcare.demo.people import PASSWORD

AT_ONCE = 20
ALLOWED = 3.0
PAUSE = 0.01


class Person:
    """Signs in again and again."""

    def __init__(self, port: int, number: int):
        self.port = port
        self.source = f"127.0.1.{number}"
        self.email = f"c{number}@example.test"
        self.done = 0
        self.refused: list[int] = []

    async def sign_in_until(self, stop: asyncio.Event) -> None:
        (wire,) = await client.connect(self.port, 1, source=self.source)
        head, body = await wire.ask_whole(client.request("/sign-in", port=self.port))
        cookie = re.search(rb"set-cookie: (pre=[^;]+)", head, re.IGNORECASE)
        token = re.search(rb'name="csrf" value="([^"]+)"', body)
        assert cookie
        assert token
        asked = self._request(cookie[1].decode(), token[1].decode())
        while not stop.is_set():
            status, _ = await wire.ask(asked)
            self.done += status == 303
            if status != 303:
                self.refused.append(status)
        client.close([wire])

    def _request(self, cookie: str, token: str) -> bytes:
        form = urlencode({"csrf": token, "email": self.email, "password": PASSWORD}).encode()
        lines = [
            "POST /sign-in HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "User-Agent: bench",
            f"Cookie: {cookie}",
            "Sec-Fetch-Site: same-origin",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(form)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + form


async def look(server: Server, times: int) -> client.Run:
    """The dashboard, opened by one person after the other."""
    requests = server.requests(next(case for case in CASES if case.name == "dashboard"))
    run = client.Run()
    (wire,) = await client.connect(server.port, 1)
    for number in range(times):
        begun = perf_counter()
        run.note(begun, *await wire.ask(requests[number % len(requests)]))
        await asyncio.sleep(PAUSE)
    client.close([wire])
    return run


async def look_meanwhile(server: Server, times: int) -> tuple[client.Run, list[Person], float]:
    stop, people = asyncio.Event(), [Person(server.port, number + 1) for number in range(AT_ONCE)]
    running = [asyncio.create_task(person.sign_in_until(stop)) for person in people]
    await asyncio.sleep(0.5)
    before, begun = sum(person.done for person in people), perf_counter()
    run = await look(server, times)
    rate = (sum(person.done for person in people) - before) / (perf_counter() - begun)
    stop.set()
    await asyncio.gather(*running)
    return run, people, rate


async def main(options: argparse.Namespace) -> int:
    url = await prepare(options.data, 1_000)
    ratios = []
    async with Server(url, options.port, 200, pinned=False) as server:
        await look(server, 50)
        for _ in range(options.rounds):
            idle = await look(server, options.times)
            busy, people, rate = await look_meanwhile(server, options.times)
            refused = [status for person in people for status in person.refused]
            assert not refused, f"sign-ins were refused: {refused[:5]}"
            assert set(idle.statuses) == set(busy.statuses) == {200}
            ratios.append(busy.quantile(0.95) / idle.quantile(0.95))
            print(
                f"  idle p50 {idle.quantile(0.5) * 1000:.1f} ms, p95 {idle.quantile(0.95) * 1000:.1f} ms;"
                f" while {rate:.0f} sign-ins a second: p50 {busy.quantile(0.5) * 1000:.1f} ms,"
                f" p95 {busy.quantile(0.95) * 1000:.1f} ms; ratio {ratios[-1]:.2f}"
            )
    ratio = statistics.median(ratios)
    verdict = "ok" if ratio <= ALLOWED else "MISSED"
    print(f"  dashboard p95, while {AT_ONCE} sign in ÷ idle {ratio:.2f}   <= {ALLOWED}  {verdict}")
    return int(ratio > ALLOWED)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--port", type=int, default=8128)
    parser.add_argument("--data", type=Path, default=Path("var/bench"))
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main(options())))
