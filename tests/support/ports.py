"""Ports for servers that cannot choose one themselves."""

from __future__ import annotations

import random
import socket

# Below what the system hands out to whoever asks for any: there it could be gone before the server has begun.
CHOICE = range(20_000, 30_000)


def free() -> int:
    """Nobody listens on it."""
    for port in random.SystemRandom().sample(CHOICE, 100):
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise OSError("a hundred ports are taken")
