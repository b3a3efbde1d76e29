"""Two servers and a background worker over one database: a setting saved in one is soon in force in all."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import httpx

from selfcare.db.engine import open_database, transaction
from selfcare.kernel import ids
from selfcare.live import standing, store
from tests.support import ports


async def test_a_flag_and_a_name_are_in_force_in_both_servers(database_url: str) -> None:
    env = {**os.environ, "SELFCARE_DATABASE_URL": database_url, "SELFCARE_LOG_LEVEL": "warning"}
    with served(env) as one, served(env) as other, httpx.Client() as http:

        def status(base: str) -> int:
            return http.get(f"{base}/help/articles").status_code

        def title(base: str) -> str:
            return http.get(f"{base}/sign-in").text.partition("</title>")[0]

        for base in (one, other):
            until(lambda base=base: http.get(f"{base}/healthz").status_code == 200, seconds=90)
            assert status(base) == 404
            assert "Lark Mobile" in title(base)
        database = await open_database(database_url)
        try:
            for turn, wanted in enumerate((200, 404, 200)):
                async with transaction():
                    name = {"brand.name": "Wren Telecom"} if turn == 0 else {}
                    await store.write(ids.new_id(), {"flag.kb": "on" if wanted == 200 else "off", **name}, was={})
                until(lambda wanted=wanted: status(one) == status(other) == wanted, seconds=60)
            # On an idle machine that is how soon; a busy one needs what it needs.
            assert standing.LOOK_EVERY_SECONDS < 0.5
            assert "Wren Telecom" in title(one)
            assert "Wren Telecom" in title(other)
        finally:
            await database.close()


@contextmanager
def served(env: dict[str, str], *, apart: bool = False) -> Iterator[str]:
    """`apart`: the console at localhost, the portal at 127.0.0.1."""
    port = ports.free()
    base = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "selfcare", "serve", "--port", str(port)]
    staff = base.replace("127.0.0.1", "localhost") if apart else ""
    env = env | {"SELFCARE_PUBLIC_URL": base, "SELFCARE_STAFF_URL": staff}
    with subprocess.Popen(command, env=env) as serving:
        try:
            yield base
        finally:
            serving.terminate()


def until(done: Callable[[], bool], *, seconds: float) -> None:
    end = monotonic() + seconds
    while True:
        try:
            if done():
                return
        except httpx.TransportError:
            pass
        assert monotonic() < end, f"not within {seconds} seconds"
        sleep(0.02)
