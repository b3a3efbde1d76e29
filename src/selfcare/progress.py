"""A line that moves while something takes long. Nothing is said about what takes less than a second."""

import sys
import time
from typing import TextIO

SILENT_SECONDS = 1.0


class Progress:
    """Call it with what is being done and how far it is; a new `what` is a new line."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._moves = self._stream.isatty()
        self._what = ""
        self._began = self._said = 0.0
        self._width = 0

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        now = time.monotonic()
        if what != self._what:
            self.end()
            self._what, self._began = what, now
            return
        pause = 0.2 if self._moves else 5.0
        complete = total > 0 and done >= total
        if now - self._began < SILENT_SECONDS or (now - self._said < pause and not complete):
            return
        self._said = now
        self._say(_line(what, done, total, now - self._began))

    def end(self) -> None:
        """Close the line; call it before printing anything else."""
        if self._width and self._moves:
            self._stream.write("\n")
        self._what, self._width, self._said = "", 0, 0.0

    def _say(self, line: str) -> None:
        self._stream.write(f"\r{line.ljust(self._width)}" if self._moves else f"{line}\n")
        self._stream.flush()
        self._width = len(line)


def _line(what: str, done: int, total: int, seconds: float) -> str:
    if total <= 1:
        return f"{what} … {seconds:.0f} s"
    left = seconds * (total - done) / done if done else 0
    return f"{what} … {done * 100 // total} % ({done:,} of {total:,})" + (f", {left:.0f} s left" if left > 1 else "")
