"""A small HTTP/1.1 client that costs little beside the server it measures."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from time import perf_counter


@dataclass
class Run:
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    body_bytes: int = 0

    @property
    def requests(self) -> int:
        return len(self.latencies)

    def include(self, other: Run) -> None:
        self.seconds += other.seconds
        self.latencies += other.latencies
        for status, many in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + many
        self.body_bytes = other.body_bytes

    def note(self, begun: float, status: int, body: bytes) -> None:
        self.latencies.append(perf_counter() - begun)
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.body_bytes = len(body)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Wire(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.buffer = b""
        self.head = b""
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        assert self.transport is not None
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return self.answer

    async def ask_whole(self, request: bytes) -> tuple[bytes, bytes]:
        """The answer's head and body."""
        _status, body = await self.ask(request)
        return self.head, body

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head_end = self.buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self.buffer[:head_end].lower()
        at = head.find(b"content-length:")
        if at < 0:
            raise ValueError("an answer without a length")
        length = int(head[at + 15 : head.find(b"\r", at) if head.find(b"\r", at) > 0 else None])
        if len(self.buffer) < head_end + 4 + length:
            return
        self.head = self.buffer[:head_end]
        body, self.buffer = self.buffer[head_end + 4 :], b""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result((int(head[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(error or ConnectionError("the server closed the connection"))


def request(path: str, *, cookie: str = "", accept: str = "", port: int) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", "User-Agent: bench"]
    lines += [f"Cookie: {cookie}"] if cookie else []
    lines += [f"Accept-Encoding: {accept}"] if accept else []
    return "\r\n".join([*lines, "", ""]).encode()


async def connect(port: int, many: int, *, source: str | None = None) -> list[Wire]:
    """`source`: the loopback address to come from."""
    loop = asyncio.get_running_loop()
    ours = (source, 0) if source else None
    return [(await loop.create_connection(Wire, "127.0.0.1", port, local_addr=ours))[1] for _ in range(many)]


async def once(port: int, asked: bytes) -> tuple[int, bytes]:
    (wire,) = await connect(port, 1)
    answer = await wire.ask(asked)
    close([wire])
    return answer


async def as_fast_as_it_goes(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Run:
    run = Run()
    asked = cycle(requests)
    wires = await connect(port, connections)
    started = perf_counter()

    async def one(wire: Wire) -> None:
        while (begun := perf_counter()) - started < seconds:
            run.note(begun, *await wire.ask(next(asked)))

    await asyncio.gather(*(one(wire) for wire in wires))
    run.seconds = perf_counter() - started
    close(wires)
    return run


async def at_a_rate(port: int, requests: Sequence[bytes], *, per_second: float, seconds: float) -> Run:
    """Requests arrive by chance, as people do; a request that waits for a connection waits on the clock."""
    run = Run()
    dice = random.Random(1)
    idle: asyncio.Queue[Wire] = asyncio.Queue()
    wires = await connect(port, 64)
    for wire in wires:
        idle.put_nowait(wire)

    async def one(asked: bytes) -> None:
        begun = perf_counter()
        wire = await idle.get()
        run.note(begun, *await wire.ask(asked))
        idle.put_nowait(wire)

    started, due, running = perf_counter(), 0.0, []
    for asked in cycle(requests):
        due += dice.expovariate(per_second)
        if due > seconds:
            break
        await asyncio.sleep(max(0.0, started + due - perf_counter()))
        running.append(asyncio.create_task(one(asked)))
    await asyncio.gather(*running)
    run.seconds = perf_counter() - started
    close(wires)
    return run


def close(wires: Sequence[Wire]) -> None:
    for wire in wires:
        if wire.transport is not None:
            wire.transport.close()
