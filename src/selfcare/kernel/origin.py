"""Where a request came from: what sessions, limits and the audit log write down."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    address: str
    device: str
    request_id: str
    country: str | None = None
