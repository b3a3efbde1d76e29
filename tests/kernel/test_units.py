import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.kernel import units

GB = 10**9


@pytest.mark.parametrize(
    ("n_bytes", "left", "used"),
    [
        (0, "0 MB", "0 MB"),
        (1, "0 MB", "1 MB"),
        (850 * 10**6, "850 MB", "850 MB"),
        (GB - 1, "999 MB", "1 GB"),
        (GB, "1 GB", "1 GB"),
        (19_449_999_999, "19.4 GB", "19.5 GB"),
        (20 * GB, "20 GB", "20 GB"),
        (20 * GB - 1, "19.9 GB", "20 GB"),
        (-5, "0 MB", "0 MB"),
    ],
)
def test_left_is_rounded_down_and_used_up(n_bytes: int, left: str, used: str) -> None:
    assert units.data(n_bytes) == left
    assert units.data(n_bytes, up=True) == used


def test_base_1024_says_so() -> None:
    assert units.data(1024**3 - 1, base=1024) == "1023 MiB"
    assert units.data(3 * 1024**3 // 2, base=1024) == "1.5 GiB"


@given(st.integers(0, 10**15), st.sampled_from([1000, 1024]))
def test_nobody_is_shown_more_than_they_have(n_bytes: int, base: int) -> None:
    number, unit = units.data(n_bytes, base=base).split()
    tenths = round(float(number) * 10)
    assert tenths * base ** (3 if unit.startswith("G") else 2) <= n_bytes * 10


def test_minutes_are_whole_and_one_is_singular() -> None:
    assert units.minutes(119) == "1 minute"
    assert units.minutes(119, up=True) == "2 minutes"
    assert units.minutes(412 * 60) == "412 minutes"


def test_a_call_is_shown_to_the_second() -> None:
    assert [units.duration(s) for s in (0, 59, 61, 3661)] == ["0:00", "0:59", "1:01", "61:01"]


def test_texts_are_counted_in_words() -> None:
    assert [units.texts(n) for n in (0, 1, 120)] == ["0 texts", "1 text", "120 texts"]
