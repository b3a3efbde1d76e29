"""Links that open one row of ours: its id with our mark behind it, worked out anew whenever it is needed, so that
whoever reads the database has no link.
"""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

_ID_LENGTH = 32


def token_of(purpose: str, id: UUID, key: bytes) -> str:
    return id.hex + _mark(purpose, id.hex, key)


def id_in(purpose: str, token: str, key: bytes) -> UUID | None:
    """None for what we never made or made for another purpose, without a look at the database."""
    body, mark = token[:_ID_LENGTH], token[_ID_LENGTH:]
    if not hmac.compare_digest(_mark(purpose, body, key).encode(), mark.encode("utf-8", "replace")):
        return None
    return UUID(body)


def _mark(purpose: str, body: str, key: bytes) -> str:
    return hmac.digest(key, f"{purpose}\x00{body}".encode("utf-8", "replace"), hashlib.sha256).hex()[:_ID_LENGTH]
