"""Finds what the tests need beside Python, a browser and PostgreSQL, and installs it where that is possible."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

# The same Chromium without a window takes half the time for a page; Debian has it by itself, Ubuntu has not.
WITHOUT_WINDOW = "chromium-headless-shell"
BROWSERS = (WITHOUT_WINDOW, "chromium", "chromium-browser", "google-chrome")


def main() -> int:
    missing = [package for package, there in (("chromium", browser()), ("postgresql", postgres())) if not there]
    if not missing:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        install(missing)
        return 0
    print(
        f"The tests need {' and '.join(missing)}, and we may not install anything here. On Debian or Ubuntu:\n\n"
        f"    sudo apt-get update && sudo apt-get install --yes {' '.join(missing)}\n\n"
        "Then start the same command again.",
        file=sys.stderr,
    )
    return 1


def browser() -> str | None:
    """Where it is."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def postgres() -> bool:
    return bool(shutil.which("initdb") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")))


def install(packages: list[str]) -> None:
    print(f"Installing {' and '.join(packages)} …", file=sys.stderr, flush=True)
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "--quiet=2"], check=True, env=quiet)
    if "chromium" in packages and is_known(WITHOUT_WINDOW):
        packages = [WITHOUT_WINDOW, *(package for package in packages if package != "chromium")]
    subprocess.run(
        ["apt-get", "install", "--yes", "--quiet=2", "--no-install-recommends", *packages],
        check=True,
        env=quiet,
        stdout=subprocess.DEVNULL,
    )


def is_known(package: str) -> bool:
    asked = subprocess.run(["apt-cache", "show", package], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return asked.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
