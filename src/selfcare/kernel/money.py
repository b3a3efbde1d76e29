"""Money is a whole number of minor units and a currency. There is no float, and one rounding function."""

import re
from collections.abc import Sequence
from functools import total_ordering
from typing import Self

from selfcare.kernel.errors import Rejected
from selfcare.kernel.values import value
from selfcare.kernel.words import _

_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
        COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
        ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
        MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
        SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW
        ZWG
        """,
    3: "BHD IQD JOD KWD LYD OMR TND",
}
EXPONENTS: dict[str, int] = {code: digits for digits, codes in _DECIMALS.items() for code in codes.split()}
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}
_TYPED = re.compile(r"([0-9]{1,12})(?:\.([0-9]*))?", re.ASCII)


class CurrencyMismatch(ValueError):
    """A mistake of ours: two currencies met in one sum."""


class BadAmount(Rejected):
    pass


@total_ordering
@value
class Money:
    minor: int
    currency: str

    @classmethod
    def zero(cls, currency: str) -> Self:
        return cls(0, currency)

    @classmethod
    def whole(cls, units: int, currency: str) -> Self:
        """So many pounds, not pence: as limits are set."""
        return cls(units * 10 ** exponent(currency), currency)

    def plain(self) -> str:
        """ "10.50", as `parse_amount` reads it and a form shows it again."""
        digits = exponent(self.currency)
        whole, rest = divmod(abs(self.minor), 10**digits)
        return f"{'-' * (self.minor < 0)}{whole}" + (f".{rest:0{digits}}" if digits else "")

    def tax_inside(self, permille: int) -> Self:
        """The tax in a price that includes it."""
        return type(self)(round_half_up(self.minor * permille, 1000 + permille), self.currency)

    def __str__(self) -> str:
        return f"{self.currency} {self.plain()}"

    def __add__(self, other: Self) -> Self:
        return type(self)(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Self:
        return type(self)(-self.minor, self.currency)

    def __lt__(self, other: Self) -> bool:
        return self.minor < self._same(other)

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same(self, other: Self) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add or compare")
        return other.minor


def exponent(currency: str) -> int:
    """How many decimals the currency has (ISO 4217)."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise ValueError(f"{currency!r} is not a currency we know") from None


def parse_amount(text: str, currency: str) -> Money:
    """What a person typed: "10", "10.50", "£ 10.50". Never below zero, never rounded, never guessed."""
    digits = exponent(currency)
    typed = _TYPED.fullmatch(_without_currency(text.strip(), currency))
    if typed is None:
        raise BadAmount(_("Enter an amount like %(examples)s.") % {"examples": _examples(currency)})
    whole, rest = typed[1], typed[2] or ""
    if len(rest) > digits:
        raise BadAmount(_too_many_decimals(currency))
    return Money(int(whole) * 10**digits + int(rest.ljust(digits, "0") or "0"), currency)


def round_half_up(numerator: int, denominator: int) -> int:
    """The only rounding of money. A half goes away from zero, so that a refund mirrors its charge."""
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def _without_currency(text: str, currency: str) -> str:
    for sign in (_SIGNS.get(currency), currency):
        if sign and text.upper().startswith(sign):
            return text[len(sign) :].lstrip()
        if sign and text.upper().endswith(sign):
            return text[: -len(sign)].rstrip()
    return text


def _examples(currency: str) -> str:
    one, other = {0: ("1000", "1050"), 2: ("10", "10.50"), 3: ("10", "10.500")}[exponent(currency)]
    return _("%(one)s or %(other)s") % {"one": one, "other": other}


def _too_many_decimals(currency: str) -> str:
    digits = exponent(currency)
    if digits == 0:
        return _("Enter a whole amount, without decimals.")
    words = _("Enter an amount with at most %(digits)s decimals, like %(examples)s.")
    return words % {"digits": digits, "examples": _examples(currency)}


def shares(total: Money, weights: Sequence[int]) -> list[Money]:
    """`total` divided by weights, to the last minor unit. Weights that sum to it are the shares themselves."""
    if not any(weights):
        weights = [1] * len(weights)
    whole, before, found = sum(weights), 0, []
    for n in range(1, len(weights) + 1):
        upto = round_half_up(total.minor * sum(weights[:n]), whole)
        found.append(Money(upto - before, total.currency))
        before = upto
    return found
