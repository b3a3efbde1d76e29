"""Real demo servers, each a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import sleep
from typing import Any

STOPS_WITHIN_SECONDS = 90
# All are born of one process that has imported the portal, which takes longer than all else of a start.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["selfcare.demonstrate"])


@contextmanager
def serving(data: Path, **wishes: Any) -> Iterator[str]:
    """A demo in that folder, with these wishes; its public address."""
    said = data / "server.log"
    said.write_text("")
    process = _context.Process(target=_serve, args=(data, wishes, said))
    process.start()
    try:
        yield _address(process, said)
    finally:
        process.terminate()
        process.join(STOPS_WITHIN_SECONDS)
        assert not process.is_alive(), said.read_text()


def _serve(data: Path, wishes: dict[str, Any], said: Path) -> None:
    from selfcare.demonstrate import Wishes, demonstrate

    with said.open("w") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    # Nobody guesses passwords here, and people sign in again and again.
    os.environ |= {"SELFCARE_ARGON2_MEMORY_KIB": "64", "SELFCARE_ARGON2_PASSES": "1"}
    demonstrate(Wishes(data=data, **wishes))


def _address(process: BaseProcess, said: Path) -> str:
    while not (found := re.search(r"(http://[\w.]+:\d+)\n", said.read_text())):
        assert process.is_alive(), f"the demo did not start:\n{said.read_text()}"
        sleep(0.02)
    return found[1]
