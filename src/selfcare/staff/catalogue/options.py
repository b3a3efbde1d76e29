"""The settings of a plan that its customers may change, a row of the form for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import parse_amount
from selfcare.kernel.numbers import whole
from selfcare.kernel.words import _
from selfcare.staff.catalogue.drafts import typed

COLUMNS = ("key", "label", "type", "choices", "usual", "empty", "about", "least", "most", "price")
TYPES = ("choice", "whole", "phone", "host")
MOST = 30
BLANK = ("", "", "choice", *[""] * (len(COLUMNS) - 3))
_LONGEST = {"key": 200, "label": 60, "usual": 200, "empty": 200, "about": 200}
_LARGEST = 999_999_999


def rows_of(editable: Iterable[Any], currency: str) -> list[tuple[str, ...]]:
    """As a person would type them. What an older catalogue only names is none."""
    return [_row(one, currency) for one in editable if isinstance(one, dict)]


def read(
    rows: Iterable[Sequence[str]], before: Sequence[Any], currency: str
) -> tuple[list[Any], list[tuple[int, str]]]:
    """The settings, and what is wrong with which row. What an older catalogue only names stays."""
    known = {one["key"]: one for one in before if isinstance(one, dict)}
    found: list[Any] = []
    problems: list[tuple[int, str]] = []
    for place, row in enumerate(rows):
        words = {name: cell.strip() for name, cell in zip(COLUMNS, row, strict=True)}
        if not any(words[name] for name in COLUMNS if name != "type"):
            continue
        try:
            one = _setting(words, known.get(words["key"], {}), currency)
            for name, problem in (("key", _("Another setting has this key.")), ("label", _("Another is called so."))):
                if any(other[name] == one[name] for other in found):
                    raise Rejected(problem)
            found.append(one)
        except Rejected as problem:
            problems.append((place, problem.message))
    return [*found, *(one for one in before if not isinstance(one, dict))], problems


def _row(one: Mapping[str, Any], currency: str) -> tuple[str, ...]:
    cells = {name: str(one.get(name, "")) for name in COLUMNS}
    cells["choices"] = "; ".join(one.get("choices", ()))
    cells["price"] = typed(one.get("price") or None, currency)
    return tuple(cells[name] for name in COLUMNS)


def _setting(words: Mapping[str, str], before: Mapping[str, Any], currency: str) -> dict[str, Any]:
    if not words["key"] or not words["label"]:
        raise Rejected(_("A setting needs a key and a name."))
    if words["type"] not in TYPES:
        raise Rejected(_("Choose one of the options."))
    if any(len(words[name]) > most or not words[name].isprintable() for name, most in _LONGEST.items()):
        raise Rejected(_("This is too long, or has signs that cannot be read."))
    numbers = {name: _number(words[name]) for name in ("least", "most")}
    choices = [part.strip() for part in words["choices"].split(";") if part.strip()]
    if (words["type"] == "choice") != (len(set(choices)) > 1):
        raise Rejected(_("A choice has two or more to choose from, with semicolons, and nothing else has any."))
    if words["type"] == "whole" and not (numbers["least"] or 0) < (numbers["most"] or 0):
        raise Rejected(_("A number needs its least and its most."))
    price = parse_amount(words["price"], currency).minor if words["price"] else None
    new: dict[str, Any] = {name: words[name] for name in ("key", "label", "type", "usual", "empty", "about")}
    new |= {"choices": choices, **numbers, "price": price}
    # What says nothing is left out, unless it was there saying nothing.
    return {name: value for name, value in new.items() if value not in ("", [], None) or before.get(name, new) == value}


def _number(text: str) -> int | None:
    if not text:
        return None
    if (number := whole(text, least=0, most=_LARGEST)) is None:
        raise Rejected(_("Enter a whole number from %(least)d to %(most)d.") % {"least": 0, "most": _LARGEST})
    return number
