from __future__ import annotations

import pytest

from selfcare.kernel.numbers import whole


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("7", 7), ("42", 42), ("007", 7), ("0" * 5_000, 0)])
def test_plain_digits_are_a_number(text: str, number: int) -> None:
    assert whole(text, most=42) == number


@pytest.mark.parametrize("text", ["", " 7", "-1", "+7", "1.0", "1e3", "1_000", "٧", "²", "43", "9" * 5_000])
def test_anything_else_is_none(text: str) -> None:
    assert whole(text, most=42) is None


def test_what_is_below_the_least_is_none() -> None:
    assert whole("0", least=1, most=9) is None
