"""Small secrets in the database, readable only with a key that is not there and only in the row they belong to."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class Unreadable(Exception):
    """Another key, another row, or somebody changed it: it fails closed."""


def seal(plain: bytes, keys: Sequence[bytes], belongs_to: str) -> str:
    """AES-256-GCM under the current key, with the key's id in front."""
    nonce = secrets.token_bytes(_NONCE)
    body = AESGCM(keys[0]).encrypt(nonce, plain, belongs_to.encode())
    return f"{_key_id(keys[0])}.{base64.urlsafe_b64encode(nonce + body).decode()}"


def unseal(sealed: str, keys: Sequence[bytes], belongs_to: str) -> bytes:
    """Raises Unreadable."""
    wanted, _dot, body = sealed.partition(".")
    try:
        raw = base64.urlsafe_b64decode(body)
        key = next(key for key in keys if _key_id(key) == wanted)
        return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], belongs_to.encode())
    except (StopIteration, ValueError, InvalidTag) as error:
        raise Unreadable from error


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"id" + key).hexdigest()[:8]
