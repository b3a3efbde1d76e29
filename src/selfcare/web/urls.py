"""Addresses by route name. Knows the impersonation prefix, which the framework's own reversal does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from litestar import Litestar
from litestar.routes import HTTPRoute

from selfcare.kernel.ids import text_of

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")
_LOCAL = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*\Z")


class Urls:
    """Route name → path, from the application's real routes."""

    def __init__(self, paths: Mapping[str, str]):
        self._paths = dict(paths)
        # Text and names of parameters in turn.
        self._pieces = {name: _PARAMETER.split(path) for name, path in self._paths.items()}
        self._parameters = {name: frozenset(_PARAMETER.findall(path)) for name, path in self._paths.items()}
        # Most links name a page and nothing else.
        self._fixed = {name: path for name, path in self._paths.items() if not self._parameters[name]}

    @classmethod
    def of(cls, app: Litestar) -> Urls:
        return cls(dict(_named(app.routes)))

    def to(self, name: str, prefix: str = "", /, **params: object) -> str:
        """The address of a route; parameters that are not part of the path become the query: None is left out, each of
        a list stands for itself."""
        used = self._parameters[name]
        pieces = self._pieces[name]
        filled = "".join([_quoted(params[piece]) if place % 2 else piece for place, piece in enumerate(pieces)])
        if len(params) == len(used):
            return prefix + filled
        query = {key: value for key, value in params.items() if key not in used and value is not None}
        return f"{prefix}{filled}" + (f"?{urlencode(query, doseq=True)}" if query else "")

    def under(self, prefix: str) -> Callable[..., str]:
        """`url()` as templates see it."""
        fixed, to = self._fixed, self.to

        def url(name: str, /, **params: object) -> str:
            return prefix + fixed[name] if not params and name in fixed else to(name, prefix, **params)

        return url

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)


def _quoted(value: object) -> str:
    """Ids are most of what stands in an address, and need no quoting."""
    return text_of(value) if type(value) is UUID else quote(str(value), safe="")


def safe_next(target: str | None, fallback: str = "/") -> str:
    """`target` if it is a path on this site, else `fallback`: one leading slash, no second, no control characters."""
    return target if target and len(target) <= 500 and _LOCAL.match(target) else fallback


def _named(routes: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for route in routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                if handler.name:
                    yield handler.name, route.path
