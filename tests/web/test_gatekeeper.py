"""Whoever opens a page passes the gatekeeper, however the page was registered."""

from __future__ import annotations

import pytest
from litestar import Litestar, Request, Router, WebSocket, asgi, get, post, websocket
from litestar.types import Receive, Scope, Send

from selfcare.app import Application
from selfcare.web.guards import gatekeeper, left_alone


async def another(request: Request) -> None:  # type: ignore[type-arg]
    """What a page might want to be asked before."""


@get("/open", name="open", before_request=another)
async def opened() -> str:
    return ""


@get("/kept", name="kept")
async def kept() -> str:
    return ""


@post("/kept", name="kept.write")
async def written() -> str:
    return ""


@asgi("/raw", copy_scope=False)
async def raw(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers without the framework."""


@websocket("/socket")
async def socket(socket: WebSocket) -> None:  # type: ignore[type-arg]
    """A door of another kind."""


def test_it_stands_before_every_page_of_the_application(app: Application) -> None:
    assert app.inside.routes
    assert left_alone(app.inside) == []


@pytest.mark.parametrize(
    ("handlers", "paths"),
    [
        ([kept, written], []),
        ([kept, opened], ["/open"]),
        ([Router("/r", route_handlers=[kept], before_request=another)], ["/r/kept"]),
        ([kept, raw], ["/raw"]),
        ([kept, socket], ["/socket"]),
    ],
)
def test_a_page_that_does_not_is_found_before_anybody_can_open_it(handlers: list[object], paths: list[str]) -> None:
    app = Litestar(handlers, before_request=gatekeeper, openapi_config=None)  # type: ignore[arg-type]
    assert left_alone(app) == paths
