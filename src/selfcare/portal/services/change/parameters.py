"""A setting that customers may change: what it may be, and how what somebody types is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from selfcare.kernel import msisdn, numbers
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money
from selfcare.kernel.words import _

CHOICE, WHOLE, PHONE, HOST = "choice", "whole", "phone", "host"
FIELD = "value"
LONGEST = 253
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """`empty` is how nothing reads, where it may be nothing; `usual` what holds until it is first changed."""

    key: str
    label: str
    type: str
    price: Money
    about: str = ""
    choices: tuple[str, ...] = ()
    least: int = 0
    most: int = 0
    empty: str = ""
    usual: str = ""

    def read(self, typed: str, *, region: str) -> str:
        """What the network is told. Raises Rejected beside the field."""
        typed = typed.strip()
        if not typed and self.empty:
            return ""
        try:
            return self._read(typed, region)
        except Rejected as problem:
            raise Rejected(problem.message, FIELD) from None

    def words(self, value: str) -> str:
        """As people read it; what `read` gave."""
        if not value:
            return self.empty
        return msisdn.show(value) if self.type == PHONE else value

    def _read(self, typed: str, region: str) -> str:
        match self.type:
            case "choice":
                if typed not in self.choices:
                    raise Rejected(_("Choose one of these."))
                return typed
            case "whole":
                if (number := numbers.whole(typed, most=999_999_999)) is None:
                    raise Rejected(_("Type a whole number."))
                if not self.least <= number <= self.most:
                    limits = {"least": self.least, "most": self.most}
                    raise Rejected(_("Type a number from %(least)d to %(most)d.") % limits)
                return str(number)
            case "phone":
                return msisdn.parse(typed, region)
        name = typed.lower().rstrip(".")
        labels = name.split(".")
        if len(name) > LONGEST or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
            raise Rejected(_("Type a name like mail.example.com: letters, digits, hyphens and dots."))
        if labels[-1].isdigit():
            raise Rejected(_("Type a name, not an address of digits."))
        return name


def parameters_of(listed: list[Any], currency: str) -> list[Parameter]:
    """What a product lists; an entry of an older catalogue that says no more than a name is none."""
    return [_parameter(one, currency) for one in listed if isinstance(one, dict)]


def _parameter(one: Mapping[str, Any], currency: str) -> Parameter:
    return Parameter(
        key=one["key"],
        label=one["label"],
        type=one["type"],
        price=Money(one.get("price", 0), currency),
        about=one.get("about", ""),
        choices=tuple(one.get("choices", ())),
        least=one.get("least", 0),
        most=one.get("most", 0),
        empty=one.get("empty", ""),
        usual=one.get("usual", ""),
    )
