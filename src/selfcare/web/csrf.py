"""Forms prove that they come from a page of ours, made for this very sign-in and this very tab.

The token is an HMAC of the session (or visitor) token and the impersonation grant, behind a fresh mask, so that a
compressed page never repeats the same secret bytes. Beside it the browser's word counts: Sec-Fetch-Site, else Origin.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

_SIZE = 16


def issue(key: bytes, binding: str, grant: str = "") -> str:
    mask = secrets.token_bytes(_SIZE)
    return base64.urlsafe_b64encode(mask + _xor(mask, _digest(key, binding, grant))).decode().rstrip("=")


def matches(token: str | None, key: bytes, binding: str, grant: str = "") -> bool:
    try:
        raw = base64.urlsafe_b64decode((token or "").encode("ascii") + b"==")
    except (ValueError, UnicodeEncodeError):
        return False
    if len(raw) != 2 * _SIZE:
        return False
    return hmac.compare_digest(_xor(raw[:_SIZE], raw[_SIZE:]), _digest(key, binding, grant))


def same_site(headers: Mapping[str, str], public_url: str) -> bool:
    """True when the browser says that the request comes from our own pages; silence is a no."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and _origin_of(origin) == _origin_of(public_url)


def _digest(key: bytes, binding: str, grant: str) -> bytes:
    return hmac.digest(key, f"csrf\x00{binding}\x00{grant}".encode(), hashlib.sha256)[:_SIZE]


def _xor(left: bytes, right: bytes) -> bytes:
    return (int.from_bytes(left) ^ int.from_bytes(right)).to_bytes(_SIZE)


def _origin_of(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc
