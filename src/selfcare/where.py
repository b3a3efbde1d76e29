"""From a URL to its code: which handler answers, and which templates it names."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from selfcare import places

_NAMED = re.compile(r'"([a-z_]+(?:/_?[a-z_]+)+)"')
_USED = re.compile(r'{%-?\s*(?:include|extends|import|from)\s+"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Place:
    methods: str
    path: str
    name: str
    function: str
    file: Path
    line: int
    templates: tuple[Path, ...]


def find(app: Litestar, url: str) -> list[Place]:
    """Every handler for the path; a parameter matches any text, a literal word wins over it."""
    words = url.split("?")[0].strip("/").split("/")
    matching = [route for route in app.routes if isinstance(route, HTTPRoute) and _matches(route, words)]
    exact = max((_literals(route) for route in matching), default=0)
    return [place for route in matching if _literals(route) == exact for place in _places(route)]


def _matches(route: HTTPRoute, words: list[str]) -> bool:
    parts = route.path_components or [""]
    return len(parts) == len(words) and all(
        part == word if isinstance(part, str) else bool(word) for part, word in zip(parts, words, strict=True)
    )


def _literals(route: HTTPRoute) -> int:
    return sum(isinstance(part, str) for part in route.path_components)


def _places(route: HTTPRoute) -> Iterator[Place]:
    for handler in dict.fromkeys(route.route_handlers):
        methods = sorted(method for method in handler.http_methods if method != "OPTIONS")
        if methods:
            yield _place(route, handler, " ".join(methods))


def _place(route: HTTPRoute, handler: HTTPRouteHandler, methods: str) -> Place:
    function = inspect.unwrap(handler.fn)
    source, first = inspect.getsourcelines(function)
    line = first + next((n for n, text in enumerate(source) if re.match(r"\s*(async )?def ", text)), 0)
    return Place(
        methods,
        route.path,
        handler.name or "",
        f"{function.__module__}.{function.__qualname__}",
        Path(inspect.getsourcefile(function) or ""),
        line,
        tuple(_templates("".join(source))),
    )


def _templates(source: str) -> list[Path]:
    """Those the handler names as literal strings, then what these include."""
    found: dict[Path, None] = {}
    waiting = [places.folder("templates") / f"{name}.html" for name in _NAMED.findall(source)]
    while waiting:
        file = waiting.pop(0)
        if file in found or not file.is_file():
            continue
        found[file] = None
        waiting += [places.folder("templates") / name for name in _USED.findall(file.read_text(encoding="utf-8"))]
    return list(found)
