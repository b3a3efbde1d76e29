from __future__ import annotations

from dataclasses import replace

import pytest

from selfcare.kernel.values import named_value, value


@value
class Point:
    x: int
    y: int = 0


@named_value
class Named:
    x: int
    y: int = 0


def test_values_that_are_equal_are_one_key() -> None:
    assert Point(1) == Point(1, 0)
    assert {Point(1): "a"}[Point(1, 0)] == "a"
    assert replace(Point(1), y=2) == Point(1, 2) != Point(1)
    assert Named(x=1) != Point(1)


def test_a_value_has_the_fields_it_names_and_no_others() -> None:
    with pytest.raises(AttributeError):
        Point(1).z = 2  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        Named(1)  # type: ignore[call-arg, misc]
