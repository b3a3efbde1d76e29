"""Card numbers, wherever somebody types one: they are not for us."""

from __future__ import annotations

import re

# 13 to 19 digits, in groups or not, as card networks begin them; identity numbers of SIMs begin with 89.
_DIGITS = re.compile(r"(?<![\d+])[2-6](?:[ .\-\u00a0]?[0-9]){12,18}(?![0-9])")


def has_card_number(text: str) -> bool:
    return any(_adds_up(found[0]) for found in _DIGITS.finditer(text))


def _adds_up(text: str) -> bool:
    """The check digit of card numbers (Luhn)."""
    digits = [int(one) for one in reversed(text) if one.isdigit()]
    doubled = (2 * one - 9 if one > 4 else 2 * one for one in digits[1::2])
    return (sum(digits[0::2]) + sum(doubled)) % 10 == 0
