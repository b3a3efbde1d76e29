"""`/healthz` says that the process lives; `/readyz` proves it by a real write."""

from __future__ import annotations

import logging

from litestar import Response, Router, get

from selfcare.db.counters import probe
from selfcare.kernel.errors import SelfcareError

log = logging.getLogger(__name__)


@get("/healthz", name="health")
async def alive() -> Response[str]:
    return _plain("ok")


@get("/readyz", name="ready")
async def ready() -> Response[str]:
    try:
        await probe()
    except (OSError, SelfcareError, Exception) as error:
        log.error("write probe failed", exc_info=error)
        return _plain("not ready: the database does not take writes", status=503)
    return _plain("ready")


def _plain(text: str, status: int = 200) -> Response[str]:
    return Response(text, status_code=status, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"})


router = Router("/", route_handlers=[alive, ready])
