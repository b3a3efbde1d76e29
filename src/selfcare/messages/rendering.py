"""Turns an event and its values into the words of a mail: a plain part that is never escaped, and one in HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from selfcare import formats
from selfcare.kernel import units, words
from selfcare.messages.events import Message
from selfcare.theme import Theme

LONGEST_VALUE = 100
LONGEST_SUBJECT = 200
PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*\Z")


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    text: str
    html: str


class Removed:
    """Stands where a link stood that opened something."""

    def __str__(self) -> str:
        return words.gettext("[this link was only in the mail]")


class Words:
    """Renders every message of one operator."""

    def __init__(self, folder: Path, *, operator: Theme, public_url: str, zone: str) -> None:
        self.operator = operator
        self.public_url = public_url
        self.zone = zone
        self._text = self._environment(folder, autoescape=False)
        self._html = self._environment(folder, autoescape=True)

    def render(
        self, message: Message, values: Mapping[str, object], *, name: str = "", zone: str | None = None
    ) -> Rendered:
        """Times on the clock of `zone`, else of the operator. Raises jinja2.UndefinedError for a missing value."""
        given = {key: _tidy(value) for key, value in values.items()}
        context = (
            dict.fromkeys(message.allowed - message.required) | given | {"name": _tidy(name), "zone": zone or self.zone}
        )
        place = f"messages/{message.value}"
        subject = self._text.get_template(f"{place}/subject.txt").render(context)
        context["subject"] = subject = " ".join(subject.split())[:LONGEST_SUBJECT]
        text = self._text.get_template(f"{place}/body.txt").render(context)
        text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip() + "\n"
        return Rendered(subject, text, self._html.get_template(f"{place}/body.html").render(context))

    def _environment(self, folder: Path, *, autoescape: bool) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=autoescape,  # noqa: S701 - the plain part must not be escaped
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
        environment.filters.update(
            money=formats.money,
            date=_day,
            datetime=_moment,
            data=units.data,
            country=formats.country,
        )
        environment.globals.update(operator=self.operator, link=self._link, colours=self.operator.colours["light"])
        return environment

    def _link(self, path: str | Removed) -> str:
        """Every link of a mail: a path of this site under the address that the operator set, and no other."""
        return str(path) if isinstance(path, Removed) else self.public_url + checked_path(path)


@pass_context
def _day(context: Context, value: date | datetime | None) -> str:
    return formats.day(value, context["zone"])


@pass_context
def _moment(context: Context, value: datetime | None) -> str:
    return formats.moment(value, context["zone"])


def checked_path(path: object) -> str:
    if not isinstance(path, str) or not PATH.match(path):
        raise ValueError("a link in a message is a path of this site")
    return path


def _tidy(value: object) -> object:
    """What people chose to be called stays on its line, at a length that fits, and is no address to click on."""
    if not isinstance(value, str) or PATH.match(value):
        return value
    kept = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in value)
    return " ".join(kept.replace("://", " ").split())[:LONGEST_VALUE]
