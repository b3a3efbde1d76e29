"""What a cell may hold: readers turn its text into a value or say what is wrong and what was expected."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from selfcare.kernel.money import EXPONENTS
from selfcare.ports.charging import KINDS, SCOPES

Reader: TypeAlias = Callable[[str], Any]

_LARGEST = 2**63 - 1
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CODE = re.compile(r"[^\s;,\x00-\x20\x7f]{1,80}")
_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\]\\]{1,64}@[^\s@\"(),:;<>\[\]\\]+\.[^\s@\"(),:;<>\[\]\\.]{2,}")
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_WHOLE = re.compile(r"[0-9]{1,19}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
# SGP.22: version, server, matching id; more may follow.
_ACTIVATION = re.compile(r"LPA:1\$[A-Za-z0-9.:-]{1,120}\$[A-Z0-9-]{0,120}(?:\$[A-Za-z0-9.]{0,60}){0,2}", re.ASCII)
_MONEY = re.compile(r"(-?)([0-9]{1,15})(?:\.([0-9]{1,4}))?", re.ASCII)
_PERCENT = re.compile(r"([0-9]{1,3})(?:\.([0-9]))?", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


class Wrong(Exception):
    """What is wrong with a cell and what was expected, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file.

    `to` is where the value is stored, when it is stored by itself. `refers` names the file whose id it is; `mentions`
    lists the ids of a cell that holds several. `together` ties columns that only make sense in one update. What is
    `secret` is stored sealed, and no message repeats it.
    """

    name: str
    about: str
    read: Reader
    needed: bool = False
    usual: Any = None
    to: str | None = None
    refers: str | None = None
    mentions: Callable[[Any], Iterable[tuple[str, str]]] | None = None
    unique: bool = False
    money: Literal["positive", "signed"] | None = None
    together: str | None = None
    secret: bool = False

    @property
    def is_time(self) -> bool:
        return self.read in (day, moment)

    def mentioned(self, value: Any) -> Iterable[tuple[str, str]]:
        if value is None:
            return ()
        if self.refers:
            return ((self.refers, value),)
        return self.mentions(value) if self.mentions else ()


def text(longest: int) -> Reader:
    def read(cell: str) -> str:
        if len(cell) > longest:
            raise Wrong(f"{shown(cell)} has {len(cell)} characters; at most {longest} are kept")
        if _CONTROL.search(cell):
            raise Wrong("there are control characters or bytes that are not UTF-8; expected plain text in UTF-8")
        return unicodedata.normalize("NFC", cell)

    return read


def code(cell: str) -> str:
    """An id of the operator's."""
    if not _CODE.fullmatch(cell) or _CONTROL.search(cell):
        raise Wrong(f"{shown(cell)} is no id; expected 1 to 80 characters without spaces, commas and semicolons")
    return cell


def choice(*names: str) -> Reader:
    known = frozenset(names)

    def read(cell: str) -> str:
        if cell not in known:
            raise Wrong(f"{shown(cell)} is not known; expected one of {', '.join(names)}")
        return cell

    return read


def choices(*names: str) -> Reader:
    """Several, separated by semicolons; stored as a JSON list."""
    one = choice(*names)
    return lambda cell: json.dumps([one(part) for part in _parts(cell)])


def texts(longest: int) -> Reader:
    """Several texts, separated by semicolons; stored as a JSON list."""
    one = text(longest)
    return lambda cell: json.dumps([one(part) for part in _parts(cell)])


def yes_no(cell: str) -> bool:
    if cell not in ("yes", "no"):
        raise Wrong(f"{shown(cell)} is neither yes nor no")
    return cell == "yes"


def whole(lowest: int = 0, highest: int = _LARGEST) -> Reader:
    def read(cell: str) -> int:
        if not _WHOLE.fullmatch(cell):
            raise Wrong(f"{shown(cell)} is no whole number; expected digits only, {lowest} or more")
        if not lowest <= int(cell) <= highest:
            raise Wrong(f"{cell} is out of range; expected {lowest} to {highest}")
        return int(cell)

    return read


def digits(least: int, most: int) -> Reader:
    def read(cell: str) -> str:
        if not _DIGITS.fullmatch(cell) or not least <= len(cell) <= most:
            raise Wrong(f"{shown(cell)} is not right; expected {_so_many(least, most)}")
        return cell

    return read


def secret_digits(least: int, most: int) -> Reader:
    def read(cell: str) -> str:
        if not _DIGITS.fullmatch(cell) or not least <= len(cell) <= most:
            raise Wrong(f"this is not right; expected {_so_many(least, most)}")
        return cell

    return read


def activation_code(cell: str) -> str:
    if not _ACTIVATION.fullmatch(cell):
        raise Wrong("this is no activation code; expected one like LPA:1$rsp.example.com$04386-AGYFT-A74Y8-3F815")
    return cell


def money(cell: str, currency: str, *, signed: bool) -> int:
    """Minor units of "12.50"; the sign only where it has a meaning."""
    digits = EXPONENTS[currency]
    example = f"12.{'5'.ljust(digits, '0')}" if digits else "1250"
    found = _MONEY.fullmatch(cell)
    if not found:
        raise Wrong(f"{shown(cell)} is no amount; write it like {example}, without a currency sign")
    minus, units, decimals = found[1], found[2], found[3] or ""
    if len(decimals) > digits:
        raise Wrong(f"{cell} has {len(decimals)} decimals; {currency} has {digits}, like {example}")
    if minus and not signed:
        raise Wrong(f"{cell} is below zero; expected an amount like {example}")
    minor = int(units) * 10**digits + int(decimals.ljust(digits, "0") or "0")
    return int(-minor if minus else minor)


def percent(cell: str) -> int:
    """Per mille of "20" or "17.5"."""
    found = _PERCENT.fullmatch(cell)
    permille = int(found[1]) * 10 + int(found[2] or "0") if found else -1
    if not 0 <= permille <= 1000:
        raise Wrong(f"{shown(cell)} is no rate in per cent; write it like 20 or 17.5")
    return permille


@lru_cache(maxsize=8192)
def day(cell: str) -> date:
    try:
        found = date.fromisoformat(cell) if _DATE.fullmatch(cell) else None
    except ValueError:
        found = None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise Wrong(f"{shown(cell)} is no date; write it like 2026-11-22")
    return found


@lru_cache(maxsize=65536)
def moment(cell: str) -> datetime:
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        found = None
    if found is None or len(cell) < len("2026-11-22T10:00") or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise Wrong(f"{shown(cell)} is no time; write it like 2026-11-22T10:00:00Z")
    if found.tzinfo is None:
        raise Wrong(f"{cell} has no time zone; write it like 2026-11-22T10:00:00Z or with +01:00")
    return found.astimezone(UTC)


def email(cell: str) -> str:
    normal = unicodedata.normalize("NFKC", cell).casefold()
    if len(normal) > 254 or not _EMAIL.fullmatch(normal) or _CONTROL.search(normal):
        raise Wrong(f"{shown(cell)} is no e-mail address; write it like name@example.com")
    return normal


def phone(cell: str) -> str:
    if not _PHONE.fullmatch(cell):
        raise Wrong(f"{shown(cell)} is no number; write it with country code and digits only, like +447700900123")
    return cell


def country(cell: str) -> str:
    if len(cell) != 2 or not cell.isascii() or not cell.isupper():
        raise Wrong(f"{shown(cell)} is no country; expected two capital letters like GB")
    return cell


def currency(cell: str) -> str:
    if cell not in EXPONENTS:
        raise Wrong(f"{shown(cell)} is no currency; expected a code like GBP")
    return cell


@lru_cache(maxsize=1024)
def zone(cell: str) -> str:
    try:
        return ZoneInfo(cell).key
    except (LookupError, OSError, ValueError):
        raise Wrong(f"{shown(cell)} is no time zone; write it like Europe/London") from None


def geo(cell: str) -> str:
    parts = cell.split(",")
    try:
        latitude, longitude = (float(part) for part in parts)
    except ValueError:
        raise Wrong(f"{shown(cell)} is no place; write latitude,longitude like 53.818,-1.568") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180) or len(cell) > 40:
        raise Wrong(f"{shown(cell)} is no place on earth; write latitude,longitude like 53.818,-1.568")
    return cell


def settings(cell: str) -> str:
    """A JSON object of short texts, for people to read."""
    found = _json(cell)
    if not isinstance(found, dict) or not all(isinstance(value, str) and len(value) <= 200 for value in found.values()):
        raise Wrong('expected a JSON object of texts, like {"Router": "Hub 2", "Speed": "80 Mbps"}')
    return json.dumps(found)


_GRANT_KEYS: dict[str, tuple[type, ...]] = {
    "kind": (str,),
    "label": (str,),
    "amount": (int, type(None)),
    "scope": (str,),
    "consume_order": (int,),
    "mode": (str,),
    "lifetime_days": (int, type(None)),
    "counts_mms": (bool,),
    "blocker": (bool,),
}
_GRANT_USUAL: dict[str, Any] = {
    "scope": "any",
    "consume_order": 3,
    "mode": "add",
    "lifetime_days": None,
    "counts_mms": False,
    "blocker": False,
}


_MOST_PARTS = 8


def grants(cell: str) -> str:
    """What a product gives: a JSON list, see docs/import.md."""
    found = _json(cell)
    if not isinstance(found, list):
        raise Wrong('expected a JSON list, like [{"kind": "data", "amount": 5000000000, "label": "5 GB"}]')
    return json.dumps([_GRANT_USUAL | _grant(one) for one in found])


def _grant(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not {"kind", "label", "amount"} <= given.keys():
        raise Wrong("each grant is an object with kind, label and amount (null for unlimited)")
    for name, value in given.items():
        if name not in _GRANT_KEYS:
            raise Wrong(f"a grant has no {shown(name)}; known are {', '.join(_GRANT_KEYS)}")
        if type(value) not in _GRANT_KEYS[name] or (type(value) is int and not 0 <= value <= _LARGEST):
            raise Wrong(f"{name} of a grant cannot be {shown(json.dumps(value))}")
    choice(*KINDS)(given["kind"])
    choice(*SCOPES)(given.get("scope", "any"))
    choice("add", "reset")(given.get("mode", "add"))
    return given


def parts(cell: str) -> str:
    """What a bundle is made of: a JSON list, see docs/import.md."""
    found = _json(cell)
    if not isinstance(found, list) or len(found) < 2 or len(found) > _MOST_PARTS:
        raise Wrong(
            f'expected a JSON list of 2 to {_MOST_PARTS} parts, like [{{"product": "data-5", "price": 500}}, …]'
        )
    return json.dumps([_part(one) for one in found])


def _part(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict) or not {"product"} <= given.keys() <= {"product", "price"}:
        raise Wrong("each part is an object with product (its slug) and price (in the smallest unit, or left out)")
    price = given.get("price")
    if not isinstance(given["product"], str) or (price is not None and type(price) is not int):
        raise Wrong("the product of a part is a text and its price a whole number")
    if price is not None and not 0 < price <= _LARGEST:
        raise Wrong(f"the price of a part cannot be {shown(json.dumps(price))}")
    return {"product": given["product"], "price": price}


_SETTING_KEYS: dict[str, type] = {
    **dict.fromkeys(("key", "label", "type", "about", "empty", "usual"), str),
    "choices": list,
    **dict.fromkeys(("least", "most", "price"), int),
}
_SETTING_TYPES = ("choice", "whole", "phone", "host")
_MOST_SETTINGS = 30


def editable(cell: str) -> str:
    """The settings of a service that its customer may change: a JSON list, see docs/import.md."""
    found = _json(cell)
    if not isinstance(found, list) or len(found) > _MOST_SETTINGS:
        raise Wrong(
            'expected a JSON list, like [{"key": "voicemail", "label": "Voicemail", "type": "choice", '
            '"choices": ["On", "Off"], "usual": "On"}]'
        )
    for one in found:
        _setting(one)
    for name in ("key", "label"):
        if len({one[name] for one in found}) < len(found):
            raise Wrong(f"two settings have the same {name}")
    return json.dumps(found)


def _setting(given: Any) -> None:
    if not isinstance(given, dict) or not {"key", "label", "type"} <= given.keys():
        raise Wrong("each setting is an object with key, label and type")
    for name, value in given.items():
        if name not in _SETTING_KEYS:
            raise Wrong(f"a setting has no {shown(name)}; known are {', '.join(_SETTING_KEYS)}")
        texts_in = value if isinstance(value, list) else [value] if isinstance(value, str) else []
        right = type(value) is _SETTING_KEYS[name] and all(isinstance(one, str) and len(one) <= 200 for one in texts_in)
        if not right or (type(value) is int and not 0 <= value <= _LARGEST):
            raise Wrong(f"{name} of a setting cannot be {shown(json.dumps(value))}")
    choice(*_SETTING_TYPES)(given["type"])
    choices_given = given.get("choices", [])
    if not given["key"] or not given["label"] or len(given["label"]) > 60:
        raise Wrong("a setting needs a key and a label of at most 60 characters")
    if (given["type"] == "choice") != (len(set(choices_given)) > 1) or "" in choices_given:
        raise Wrong("a setting of type choice has two choices or more, and no other setting has any")
    if given["type"] == "whole" and not given.get("least", 0) < given.get("most", 0):
        raise Wrong("a setting of type whole needs least and most")


def memberships(cell: str) -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """ "C-1 owner; C-2 user S-7 S-8": customer, role, and the services it is limited to."""
    found = []
    for part in _parts(cell):
        customer, *rest = part.split()
        if not rest:
            raise Wrong(f"{shown(part)} has no role; write it like C-1 owner or C-1 user S-7")
        role = choice("owner", "payer", "user", "viewer")(rest[0])
        found.append((code(customer), role, tuple(code(service) for service in rest[1:])))
    if len({customer for customer, _role, _services in found}) != len(found):
        raise Wrong("the same customer stands there twice; expected each once")
    return tuple(found)


def members_of(value: tuple[tuple[str, str, tuple[str, ...]], ...]) -> Iterator[tuple[str, str]]:
    for customer, _role, services in value:
        yield "customers", customer
        yield from (("services", service) for service in services)


def shown(cell: str) -> str:
    """A cell in a message: quoted, short, printable."""
    plain = "".join(sign if sign.isprintable() else "�" for sign in cell[:40])
    return f'"{plain}{"…" if len(cell) > 40 else ""}"'


def _so_many(least: int, most: int) -> str:
    return f"{least} digits" if least == most else f"{least} to {most} digits"


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _json(cell: str) -> Any:
    try:
        return json.loads(cell, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Wrong(f"{shown(cell)} is no JSON") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)
