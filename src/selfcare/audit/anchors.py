"""The ends of the chains of the audit log, kept outside the database: in the log of the process, and in a file.

Whoever owns the database can cut a chain and its head together; beside what the chain was an hour ago it shows.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from selfcare.audit.log import PAGE, Anchor
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute_many, fetch

log = logging.getLogger(__name__)

GREW = Prepared.sql("SELECT chain, number, hash FROM audit_head WHERE number > anchored ORDER BY chain LIMIT :most")
ANCHORED = Prepared.sql("UPDATE audit_head SET anchored = :number WHERE chain = :chain AND anchored < :number")
ANCHOR = re.compile(r"audit anchor: chain (?P<chain>\S{1,36}) number (?P<number>\d+) hash (?P<hash>[0-9a-f:]{71})")


async def write(path: str = "") -> int:
    """Writes the head of every chain that grew since the last time to the log of the process, and to the end of a file
    where there is one; how many."""
    written = 0
    while heads := await fetch(GREW.bind(most=PAGE)):
        lines = [_line(Anchor(head["chain"], head["number"], head["hash"])) for head in heads]
        if path:
            await asyncio.to_thread(_append, Path(path), lines)
        for line in lines:
            log.info("%s", line)
        async with transaction():
            await execute_many(ANCHORED, ({"chain": head["chain"], "number": head["number"]} for head in heads))
        written += len(heads)
    return written


async def read(path: str) -> list[Anchor]:
    """Every anchor of the file; none where nothing was written yet."""
    return await asyncio.to_thread(_read, Path(path)) if path else []


def found_in(lines: Iterable[str]) -> Iterator[Anchor]:
    """Reads back what `write` wrote, out of a log in any of our formats."""
    for line in lines:
        if found := ANCHOR.search(line):
            yield Anchor(found["chain"], int(found["number"]), found["hash"].replace(":", ""))


async def shorten(path: str, hold: Collection[Anchor]) -> None:
    """Takes out of the file what a later line of the same chain vouches for, of those that the database was seen to
    `hold`. An anchor that does not fit stays, and so does the last of each chain."""
    if path and hold:
        try:
            await asyncio.to_thread(_shorten, Path(path), frozenset(hold))
        except OSError as error:
            # A folder we may not write to, a file that only grows: anchors are still added.
            log.warning("the file of audit anchors stays as long as it is: %s", error)


def _append(path: Path, lines: Iterable[str]) -> None:
    with _alone_in(path.parent), open(path, "a", encoding="utf-8") as file:
        _save(file, lines)


def _read(path: Path) -> list[Anchor]:
    if not path.exists():
        return []
    with open(path, encoding="utf-8", errors="replace") as file:
        return list(dict.fromkeys(found_in(file)))


def _shorten(path: Path, hold: frozenset[Anchor]) -> None:
    path = path.resolve()
    shorter = path.with_name(f"{path.name}.shorter")
    with _alone_in(path.parent):
        found = _read(path)
        last = {anchor.chain: anchor for anchor in found}
        kept = [anchor for anchor in found if anchor not in hold or anchor == last[anchor.chain]]
        if len(kept) == len(found):
            return
        try:
            with open(shorter, "w", encoding="utf-8") as file:
                os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
                _save(file, map(_line, kept))
            os.replace(shorter, path)
        finally:
            shorter.unlink(missing_ok=True)


def _save(file: TextIO, lines: Iterable[str]) -> None:
    """On the disk before anybody relies on it."""
    file.writelines(f"{line}\n" for line in lines)
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """A lock on the folder: one on the file would not keep who opened it before it was replaced."""
    held = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
        os.fsync(held)
    finally:
        os.close(held)


def _line(anchor: Anchor) -> str:
    # In groups, so that no filter of the logs takes it for a token or a card number.
    grouped = ":".join(anchor.hash[place : place + 8] for place in range(0, len(anchor.hash), 8))
    return f"audit anchor: chain {anchor.chain} number {anchor.number} hash {grouped}"
