"""The codes of vouchers: typed as one likes, kept as a keyed hash."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_AS_MEANT = str.maketrans("OIL", "011", " -\t\n\r\u00a0")
SHORTEST, LONGEST = 12, 16


def make() -> str:
    return "".join(secrets.choice(_CROCKFORD) for _ in range(LONGEST))


def show(code: str) -> str:
    """In groups of four, as it is printed."""
    return " ".join(code[place : place + 4] for place in range(0, len(code), 4))


def read(typed: str) -> str | None:
    """As we keep it: without spaces, in capitals, letters that look like digits as digits. None for what is no code."""
    code = typed[:100].upper().translate(_AS_MEANT)
    return code if SHORTEST <= len(code) <= LONGEST and set(code) <= set(_CROCKFORD) else None


def keyed(code: str, key: bytes) -> str:
    return hmac.digest(key, f"voucher\x00{code}".encode(), hashlib.sha256).hex()
