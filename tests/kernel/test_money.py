import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.kernel.money import (
    EXPONENTS,
    BadAmount,
    CurrencyMismatch,
    Money,
    exponent,
    parse_amount,
    round_half_up,
    shares,
)

currencies = st.sampled_from(["JPY", "GBP", "KWD"])
minors = st.integers(min_value=0, max_value=10**12 - 1)


@given(minors, currencies)
def test_what_is_written_is_read_back_the_same(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert parse_amount(money.plain(), currency) == money


@given(minors, minors, currencies)
def test_sums_are_those_of_whole_numbers(a: int, b: int, currency: str) -> None:
    assert Money(a, currency) + Money(b, currency) - Money(b, currency) == Money(a, currency)
    assert (Money(a, currency) < Money(b, currency)) == (a < b)
    assert (Money(a, currency) >= Money(b, currency)) == (a >= b)
    assert -Money(a, currency) == Money.zero(currency) - Money(a, currency)


@pytest.mark.parametrize(
    ("typed", "currency", "minor"),
    [
        ("10", "GBP", 1000),
        ("10.5", "GBP", 1050),
        ("10.", "GBP", 1000),
        (" £10.50 ", "GBP", 1050),
        ("gbp 10.50", "GBP", 1050),
        ("10.50 GBP", "GBP", 1050),
        ("0", "GBP", 0),
        ("1050", "JPY", 1050),
        ("¥1050", "JPY", 1050),
        ("1.234", "KWD", 1234),
    ],
)
def test_people_type_amounts_in_their_own_way(typed: str, currency: str, minor: int) -> None:
    assert parse_amount(typed, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "NaN",
        "inf",
        "1e3",
        "-5",
        "+5",
        "１０",
        "٣",
        "1_0",
        "1,000",
        "10,50",
        "0x10",
        "10.5.0",
        ".50",
        "$10",
        "9" * 13,
        "10\n5",
    ],
)
def test_what_is_no_amount_is_refused_with_an_example(typed: str) -> None:
    with pytest.raises(BadAmount) as refused:
        parse_amount(typed, "GBP")
    assert refused.value.message == "Enter an amount like 10 or 10.50."


@pytest.mark.parametrize(
    ("typed", "currency", "message"),
    [
        ("5.001", "GBP", "Enter an amount with at most 2 decimals, like 10 or 10.50."),
        ("5.0001", "KWD", "Enter an amount with at most 3 decimals, like 10 or 10.500."),
        ("5.0", "JPY", "Enter a whole amount, without decimals."),
    ],
)
def test_too_many_decimals_are_refused_not_rounded(typed: str, currency: str, message: str) -> None:
    with pytest.raises(BadAmount) as refused:
        parse_amount(typed, currency)
    assert refused.value.message == message


@given(st.text(max_size=20), currencies)
def test_no_text_whatever_does_more_than_be_refused(typed: str, currency: str) -> None:
    with contextlib.suppress(BadAmount):
        assert parse_amount(typed, currency).minor >= 0


def test_currencies_never_mix() -> None:
    with pytest.raises(CurrencyMismatch):
        Money(1, "GBP") + Money(1, "EUR")
    with pytest.raises(CurrencyMismatch):
        assert Money(1, "GBP") < Money(1, "EUR")
    assert Money(1, "GBP") != Money(1, "EUR")


def test_nothing_is_false_and_a_debt_is_true() -> None:
    assert not Money.zero("GBP")
    assert Money(-1, "GBP")
    assert Money(-105, "GBP").plain() == "-1.05"
    assert str(Money(5, "KWD")) == "KWD 0.005"


def test_the_table_knows_the_odd_currencies_and_no_invented_one() -> None:
    assert [exponent(c) for c in ("JPY", "GBP", "KWD")] == [0, 2, 3]
    assert all(len(code) == 3 and code.isupper() for code in EXPONENTS)
    with pytest.raises(ValueError, match="'XXX' is not a currency we know"):
        exponent("XXX")


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"), [(5, 2, 3), (-5, 2, -3), (5, -2, -3), (4, 3, 1), (-4, 3, -1), (0, 7, 0)]
)
def test_a_half_goes_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_up(numerator, denominator) == rounded


@given(st.integers(), st.integers(min_value=1))
def test_rounding_is_never_off_by_more_than_a_half(numerator: int, denominator: int) -> None:
    assert abs(round_half_up(numerator, denominator) * denominator - numerator) * 2 <= denominator


@given(st.integers(min_value=0, max_value=10**9), st.lists(st.integers(min_value=0, max_value=10**6), min_size=1))
def test_shares_are_the_whole_to_the_last_unit(total: int, weights: list[int]) -> None:
    found = shares(Money(total, "GBP"), weights)
    assert sum(share.minor for share in found) == total
    assert all(share.minor >= 0 for share in found)


def test_weights_that_are_the_whole_are_its_shares() -> None:
    assert shares(Money(2600, "GBP"), [1701, 500, 399]) == [Money(minor, "GBP") for minor in (1701, 500, 399)]


def test_weights_of_nothing_share_alike() -> None:
    assert shares(Money(100, "GBP"), [0, 0, 0]) == [Money(minor, "GBP") for minor in (33, 34, 33)]


@pytest.mark.parametrize(
    ("minor", "permille", "tax"), [(1200, 200, 200), (999, 200, 167), (-999, 200, -167), (500, 0, 0)]
)
def test_the_tax_in_a_price_is_a_share_of_all_of_it(minor: int, permille: int, tax: int) -> None:
    assert Money(minor, "GBP").tax_inside(permille) == Money(tax, "GBP")


@pytest.mark.parametrize(("currency", "minor"), [("GBP", 20_000), ("JPY", 200), ("KWD", 200_000)])
def test_whole_units_are_as_many_minor_ones_as_the_currency_has(currency: str, minor: int) -> None:
    assert Money.whole(200, currency) == Money(minor, currency)
