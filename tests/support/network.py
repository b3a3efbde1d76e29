"""A network that speaks docs/provisioning.md, on the loopback. It believes only what is signed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from selfcare.adapters import signatures
from selfcare.kernel import clock

SECRET = "n" * 40


@dataclass
class Network:
    """`fault`, once: cut (before it looks), cut_after, http_500, http_403, http_422, garbage, other_job, bare_404."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    begun: int = 0
    fault: str = ""
    status: int = 1
    url: str = ""

    def answer(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, Any]:
        job = path.rpartition("/")[2]
        signed = body if method == "POST" else job.encode()
        signatures.check(signed, headers["selfcare-signature"], [SECRET.encode()], clock.now())
        if method == "POST":
            said = json.loads(body)
            job = said["job"]
            assert headers["idempotency-key"] == job
            if job not in self.jobs:
                self.jobs[job] = said | {"status": self.status}
                self.begun += 1
        if job not in self.jobs:
            return 404, {"job": job}
        return 200 if method == "GET" else 202, {"job": job, "status": self.jobs[job]["status"], "step": 1, "steps": 3}


@asynccontextmanager
async def serving(network: Network) -> AsyncIterator[Network]:
    server = await asyncio.start_server(lambda r, w: _serve(network, r, w), "127.0.0.1", 0)
    network.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/selfcare"
    try:
        yield network
    finally:
        server.close()


async def _serve(network: Network, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := (await reader.readuntil(b"\r\n\r\n")).decode():
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _colon, value in (line.partition(": ") for line in lines)}
            method, path, _version = first.split(" ")
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            network.asked.append(method)
            fault, network.fault = network.fault, ""
            if fault == "cut":
                return
            status, said = (int(fault[5:]), {}) if fault.startswith("http_") else (0, None)
            if not status:
                status, said = network.answer(method, path, body, headers)
            if fault == "cut_after":
                return
            if fault == "other_job":
                said["job"] = "0" * 32
            if fault == "bare_404":
                status, said = 404, {"detail": "Not Found"}
            raw = b"<html>" if fault == "garbage" else json.dumps(said).encode()
            writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(raw)) + raw)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        pass
    finally:
        writer.close()
