"""The way in which gateways sign what they send: "t=…,v1=…" over time and body, HMAC-SHA-256."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from selfcare.kernel.numbers import whole
from selfcare.ports.payments import BadEvent

TOLERANCE = timedelta(seconds=300)


def sign(body: bytes, key: bytes, at: datetime) -> str:
    moment = str(int(at.timestamp()))
    return f"t={moment},v1={hmac.digest(key, moment.encode() + b'.' + body, hashlib.sha256).hex()}"


def check(raw: bytes, header: str, keys: Sequence[bytes], now: datetime) -> None:
    """Raises BadEvent. Several v1 are allowed: whoever changes the key signs with both for a while."""
    pairs = [part.partition("=") for part in header.split(",")]
    moments = [value for name, _equals, value in pairs if name.strip() == "t"]
    signatures = [value for name, _equals, value in pairs if name.strip() == "v1"]
    moment = whole(moments[0], most=99_999_999_999) if len(moments) == 1 else None
    if moment is None:
        raise BadEvent("the signature has no time")
    if abs(now.timestamp() - moment) > TOLERANCE.total_seconds():
        raise BadEvent("the signature is too old or from the future")
    signed = moments[0].encode() + b"." + raw
    expected = [hmac.digest(key, signed, hashlib.sha256).hex() for key in keys]
    given = [each.encode("ascii", "replace") for each in signatures]
    if not any(hmac.compare_digest(one.encode(), other) for one in expected for other in given):
        raise BadEvent("the signature is not ours")
