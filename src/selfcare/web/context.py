"""What our wrappers note on the ASGI scope, read back by name. One value per request, no global current user."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias, cast
from uuid import UUID

from selfcare.identity.identity import Identity
from selfcare.identity.requirement import Requirement
from selfcare.kernel.origin import Origin
from selfcare.web.urls import Urls

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from litestar.connection import ASGIConnection

    from selfcare.live.standing import Standing
    from selfcare.settings import Settings
    from selfcare.web.assets import Assets
    from selfcare.web.cookies import Cookies
    from selfcare.web.templating import Templates

KEY = "selfcare.request"

# Where the console has a host of its own: which of the two this site is.
Serves: TypeAlias = Literal["all", "portal", "console"]


@dataclass(frozen=True, slots=True)
class Site:
    """What one running application knows; another one takes its place when staff change a setting."""

    standing: Standing
    serves: Serves
    settings: Settings
    templates: Templates
    assets: Assets
    urls: Urls
    cookies: Cookies
    flags: frozenset[str]
    requirement: Requirement


@dataclass(slots=True)
class RequestContext:
    """What the wrappers found out about this request before the framework saw it."""

    site: Site
    origin: Origin
    # As they came, names in lower case; of two with one name the first.
    headers: Mapping[bytes, bytes] = field(default_factory=dict)
    prefix: str = ""
    identity: Identity | None = None
    last_seen_at: object = None
    visit_seen_at: datetime | None = None
    visit_over: str | None = None
    expired_user_id: UUID | None = None
    binding: str = ""
    visitor_cookie: str | None = None
    refused: int | None = None
    form: list[tuple[str, str]] | None = None
    route: str | None = None
    cookies: list[str] = field(default_factory=list)

    def header(self, name: bytes) -> str:
        """Empty where it was not sent."""
        return self.headers.get(name, b"").decode("latin-1")

    @property
    def url(self) -> Callable[..., str]:
        return self.site.urls.under(self.prefix)


def context_of(connection: ASGIConnection) -> RequestContext:  # type: ignore[type-arg]
    return cast("RequestContext", connection.scope[KEY])  # type: ignore[literal-required]
