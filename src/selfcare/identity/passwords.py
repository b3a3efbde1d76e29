"""Passwords: argon2id in a small pool of its own, so that a storm of sign-ins never stalls a page.

Cost (19 MiB, two passes, one lane) is the OWASP minimum; the pool is bounded, and a full queue is an honest "busy".
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from selfcare.kernel.errors import Unavailable
from selfcare.kernel.words import _

T = TypeVar("T")

LONGEST_BYTES = 512
NICE = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """Outcome of a check; `rehashed` is a new hash to store when the stored one has old cost parameters."""

    right: bool
    rehashed: str | None = None


class Passwords:
    """Hash and check. One per process; `close()` at shutdown."""

    def __init__(self, *, memory_kib: int = 19_456, passes: int = 2, threads: int | None = None, queue: int = 64):
        self._hasher = PasswordHasher(time_cost=passes, memory_cost=memory_kib, parallelism=1)
        most = threads or max(2, min(4, os.cpu_count() or 2))
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="argon2", initializer=_step_back)
        self._queue = queue
        self._waiting = 0
        # Someone who is not there must cost the same time as someone who is.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str) -> str:
        prepared = _prepared(password)
        if prepared is None:
            raise ValueError("a password that long never passes the rules")
        return await self._run(self._hasher.hash, prepared)

    async def check(self, stored: str | None, password: str) -> Checked:
        """Never raises for bad input or a damaged hash: both are simply not right."""
        prepared = _prepared(password)
        return await self._run(self._check, stored, prepared)

    def _check(self, stored: str | None, prepared: str | None) -> Checked:
        try:
            right = self._hasher.verify(stored or self._nobody, prepared or "")
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return Checked(right=False)
        if stored is None or prepared is None or not right:
            return Checked(right=False)
        outdated = self._hasher.check_needs_rehash(stored)
        return Checked(right=True, rehashed=self._hasher.hash(prepared) if outdated else None)

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        if self._waiting >= self._queue:
            raise Unavailable(_("Many people are signing in right now. Wait a few seconds, then try again."))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work, *args)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    """Hashing takes the time that pages leave: with the same priority, it would make them wait for the processor."""
    if sys.platform == "linux":  # elsewhere this would be about the whole process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _prepared(password: str) -> str | None:
    """NFC, so that a password typed on another keyboard still matches; None when absurdly long or not text."""
    normal = unicodedata.normalize("NFC", password)
    try:
        return normal if len(normal.encode()) <= LONGEST_BYTES else None
    except UnicodeEncodeError:
        return None
