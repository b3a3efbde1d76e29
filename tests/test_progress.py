import io
from collections.abc import Iterator

import pytest

from selfcare import progress
from selfcare.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """The last entry is what the clock says."""
    ticks = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: ticks[-1])
    return ticks  # type: ignore[return-value]


def test_nothing_is_said_about_what_is_quick(seconds: list[float]) -> None:
    said = Terminal()
    show = Progress(said)
    for done in range(10):
        seconds.append(100 + done / 10)
        show("customers", done, 10)
    show.end()
    assert said.getvalue() == ""


def test_a_line_moves_on_a_terminal(seconds: list[float]) -> None:
    said = Terminal()
    show = Progress(said)
    for at, done in ((100, 0), (102, 250), (104, 500)):
        seconds.append(at)
        show("customers", done, 1000)
    show.end()
    assert said.getvalue() == (
        "\rcustomers … 25 % (250 of 1,000), 6 s left\rcustomers … 50 % (500 of 1,000), 4 s left\n"
    )


def test_elsewhere_a_line_is_added_now_and_then(seconds: list[float]) -> None:
    said = io.StringIO()
    show = Progress(said)
    for second in range(12):
        seconds.append(100 + second)
        show("Setting up")
    show.end()
    assert said.getvalue() == "Setting up … 1 s\nSetting up … 6 s\nSetting up … 11 s\n"


def test_a_shorter_line_covers_the_longer_one(seconds: list[float]) -> None:
    said = Terminal()
    show = Progress(said)
    show("x", 0, 100_000)
    seconds.append(102)
    show("x", 10, 100_000)
    long = said.getvalue()
    seconds.append(103)
    show("x", 100_000, 100_000)
    assert len(said.getvalue()) == 2 * len(long)
