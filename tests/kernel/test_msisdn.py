import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.kernel import msisdn


@pytest.mark.parametrize(
    "typed", ["07700 900123", "+447700900123", "+44 (0) 7700-900123", "0044 7700 900123", " 07700.900.123 "]
)
def test_one_number_typed_in_many_ways(typed: str) -> None:
    assert msisdn.parse(typed) == "+447700900123"


def test_a_number_without_country_code_belongs_to_the_operators_region() -> None:
    assert msisdn.parse("030 901820", region="DE") == "+4930901820"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "12",
        "hello",
        "0800 FLOWERS",
        "０７７００９００１２３",
        "07700 900123 ext 5",
        "+44 7700 900123 4567 8901",
        "+999 123456",
        "1e10",
        "tel:07700900123",
    ],
)
def test_what_is_no_number_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(msisdn.BadNumber) as refused:
        msisdn.parse(typed)
    assert refused.value.message == "Enter a phone number like 07400 123456 or +44 7400 123456."


@given(st.text(max_size=40))
def test_no_text_whatever_does_more_than_be_refused(typed: str) -> None:
    with contextlib.suppress(msisdn.BadNumber):
        assert msisdn.parse(typed).startswith("+")


def test_shown_with_spaces_masked_to_three_digits() -> None:
    assert msisdn.show("+447700900123") == "+44 7700 900123"
    assert msisdn.mask("+447700900123") == "+44 ••• 123"


def test_what_is_no_number_is_shown_as_it_is() -> None:
    assert msisdn.show("line-12") == "line-12"
