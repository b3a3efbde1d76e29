"""`/healthz` says that the process lives; `/readyz` proves it by a real write."""

from __future__ import annotations

import logging

from litestar import MediaType, Response, Router, get

from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.kernel import clock

_WRITE = Prepared.sql(
    "INSERT INTO readiness (id, at) VALUES (1, :at) ON CONFLICT (id) DO UPDATE SET at = excluded.at RETURNING id"
)
log = logging.getLogger(__name__)


@get("/healthz", name="health")
async def alive() -> Response[str]:
    return _plain("ok")


@get("/readyz", name="ready")
async def ready() -> Response[str]:
    try:
        await probe()
    except Exception as error:
        log.error("write probe failed", exc_info=error)
        return _plain("not ready: the database does not take writes", status=503)
    return _plain("ready")


async def probe() -> None:
    """A real write, the same row every time."""
    async with transaction():
        await execute(_WRITE.bind(at=clock.now()))


def _plain(text: str, status: int = 200) -> Response[str]:
    return Response(text, status_code=status, media_type=MediaType.TEXT, headers={"Cache-Control": "no-store"})


router = Router("/", route_handlers=[alive, ready])
