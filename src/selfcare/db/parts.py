"""A file laid into the database a part at a time: written by whoever writes files, in constant memory."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator, Callable
from typing import Any

from selfcare.db.engine import transaction
from selfcare.db.prepared import Bound, execute, fetch_one

PART_BYTES = 192 * 1024


class Parts(io.RawIOBase):
    """`add` makes the statement that writes one part, by its position and its text."""

    def __init__(self, add: Callable[[int, str], Bound]) -> None:
        self.size = 0
        self.position = 0
        self._add = add
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._waiting += data
        self.size += len(data)
        return len(data)

    async def flush_full(self) -> None:
        while len(self._waiting) >= PART_BYTES:
            await self._flush(PART_BYTES)

    async def flush_rest(self) -> None:
        await self.flush_full()
        if self._waiting:
            await self._flush(len(self._waiting))

    async def _flush(self, length: int) -> None:
        body = base64.b64encode(self._waiting[:length]).decode()
        del self._waiting[:length]
        async with transaction():
            await execute(self._add(self.position, body))
        self.position += 1


async def read_parts(part: Callable[[int], Bound]) -> AsyncIterator[bytes]:
    """The file again; `part` makes the statement that reads the one at a position, as `body`."""
    position = 0
    while (row := await fetch_one(part(position))) is not None:
        yield base64.b64decode(row["body"])
        position += 1
