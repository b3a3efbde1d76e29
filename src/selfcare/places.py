"""Where the folders beside the code are: inside the installed package, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parent.parent


def folder(name: str) -> Path:
    """`templates`, `static` or `migrations`."""
    installed = PACKAGE / name
    return installed if installed.is_dir() else CHECKOUT / name
