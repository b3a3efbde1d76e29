"""New ids, short public references, random tokens and their hashes. An id is never a secret; a token always is."""

import hashlib
import os
import secrets
import threading
import time
from uuid import UUID

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VERSION_AND_VARIANT = 0x7000_8000_0000_0000_0000
_RANDOM_BITS = 62

_TEXTS_KEPT = 4096

_lock = threading.Lock()
_last_tick = 0
_texts: dict[int, str] = {}


def new_id() -> UUID:
    """A version 7 UUID: sorted by creation within this process, random in its last 62 bits.

    It follows the machine's own clock, not `kernel.clock`: ids stay unique and sorted while tests and demos turn time.
    """
    return new_ids(1)[0]


def new_ids(count: int) -> list[UUID]:
    """Many at once, in order: the system is asked for its randomness only once."""
    first, tails = _take_ticks(count), os.urandom(8 * count)
    return [
        _version_7(tick, int.from_bytes(tails[8 * n : 8 * n + 8], "big") >> (64 - _RANDOM_BITS))
        for n, tick in enumerate(range(first, first + count))
    ]


def reference(prefix: str) -> str:
    """What people read out on the phone: "PAY-7K3M9Q2X", without I, L, O and U."""
    dice = int.from_bytes(os.urandom(5), "big")
    return f"{prefix}-{''.join([_CROCKFORD[dice >> place & 31] for place in range(0, 40, 5)])}"


def text_of(id: UUID) -> str:
    """`str(id)`. One id stands in most statements and links of a request: it is written once."""
    text = _texts.get(id.int)
    if text is None:
        if len(_texts) >= _TEXTS_KEPT:
            _texts.clear()
        text = _texts[id.int] = str(id)
    return text


def token() -> str:
    """256 random bits, safe in a URL."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token. It has 256 random bits, so it needs neither salt nor slowness."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _version_7(tick: int, tail: int) -> UUID:
    return UUID(int=(tick >> 12) << 80 | (tick & 0xFFF) << 64 | _VERSION_AND_VARIANT | tail)


def _take_ticks(count: int) -> int:
    """The time in 1/4096 ms, the first of so many that were never given out."""
    global _last_tick
    with _lock:
        first = max(time.time_ns() * 4096 // 1_000_000, _last_tick + 1)
        _last_tick = first + count - 1
        return first
