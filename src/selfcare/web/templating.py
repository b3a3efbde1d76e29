"""The Jinja environment of the pages, and the filters that turn values into words."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from jinja2 import BytecodeCache, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup

from selfcare.formats import about, country, day, hour, minor, moment, money, symbol
from selfcare.identity import acting
from selfcare.identity.identity import GrantInUse
from selfcare.kernel import clock, msisdn, units, words
from selfcare.kernel.words import _, ngettext
from selfcare.web.lean import LeanEnvironment, install_words

# Macros that ask nothing but their arguments (no clock, no token) and say the same on many pages.
KEPT = {
    "components/feedback.html": ("offline", "tag"),
    "components/icons.html": ("icon", "sprite"),
    "components/nav.html": ("back", "brand", "foot", "sections", "simulated", "skip"),
    "usage/words.html": ("class_hint", "class_name", "kind_name"),
}


class Compiled(BytecodeCache):
    """Templates compiled once for each language, for the environments of one process."""

    def __init__(self) -> None:
        self._codes: dict[str, Any] = {}
        self._in: dict[NullTranslations, Compiled] = {}

    def in_language(self, language: NullTranslations) -> Compiled:
        return self._in.setdefault(language, Compiled())

    def load_bytecode(self, bucket: Bucket) -> None:
        code, checksum = self._codes.get(bucket.key, (None, None))
        if checksum == bucket.checksum:
            bucket.code = code

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = (bucket.code, bucket.checksum)


class Templates:
    """Renders `name` ("topup/index") from the folder of templates, in the language of the moment."""

    def __init__(
        self, folder: Path, *, development: bool = False, compiled: Compiled | None = None, **globals_: object
    ):
        self._folder = folder
        self._development = development
        self._compiled = compiled or Compiled()
        self._globals = globals_
        self._environments: dict[NullTranslations, LeanEnvironment] = {}

    @property
    def environment(self) -> LeanEnvironment:
        language = words.spoken()
        found = self._environments.get(language)
        if found is None:
            found = self._environments[language] = self._environment(language)
        return found

    def _environment(self, language: NullTranslations) -> LeanEnvironment:
        environment = LeanEnvironment(
            loader=FileSystemLoader(self._folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=self._development,
            bytecode_cache=self._compiled.in_language(language),
            kept=KEPT,
            language=language,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        install_words(environment)
        environment.filters.update(FILTERS)
        environment.globals.update(self._globals)
        return environment

    def render(self, name: str, context: dict[str, Any]) -> str:
        return self.environment.get_template(f"{name}.html").render(context)


def ago(value: datetime | None) -> str:
    """just now, 5 minutes ago, 3 hours ago, yesterday-ish in days: always shown beside the date."""
    if value is None:
        return ""
    seconds = int((clock.now() - value).total_seconds())
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return ngettext("%(num)d minute ago", "%(num)d minutes ago", seconds // 60) % {"num": seconds // 60}
    if seconds < 86_400:
        return ngettext("%(num)d hour ago", "%(num)d hours ago", seconds // 3600) % {"num": seconds // 3600}
    return ngettext("%(num)d day ago", "%(num)d days ago", seconds // 86_400) % {"num": seconds // 86_400}


def minutes_left(grant: GrantInUse) -> int:
    """Whole minutes until a support visit ends by itself, rounded up."""
    return max(0, -int((clock.now() - grant.ends_at).total_seconds() // 60))


def number(value: str | None) -> Markup:
    """A phone number that stays left to right in every language."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(msisdn.show(value)) if value else Markup("")


def stacked(shares: Sequence[int]) -> list[tuple[int, float, float, bool]]:
    """Tone, place and width in per cent of each part of a ribbon, from whole per mille; every second one is hatched."""
    parts, x = [], 0
    for place, share in enumerate(shares):
        if share > 0:
            parts.append((place % 3 + 1, x / 10, share / 10, place % 2 == 1))
            x += share
    return parts


def headers_json(value: object) -> str:
    """JSON fit for a response header: ASCII only, no line breaks."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "minor": minor,
    "symbol": symbol,
    "about": about,
    "country": country,
    "date": day,
    "datetime": moment,
    "time": hour,
    "ago": ago,
    "data": units.data,
    "minutes": units.minutes,
    "duration": units.duration,
    "speed": units.speed,
    "texts": units.texts,
    "msisdn": number,
    "minutes_left": minutes_left,
    "allowed": acting.listed,
    "stacked": stacked,
}
