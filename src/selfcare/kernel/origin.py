"""Where a request came from: what sessions, limits and the audit log write down."""

from selfcare.kernel.values import value


@value
class Origin:
    address: str
    device: str
    request_id: str
    country: str | None = None
