"""The Jinja environment of the pages, and the filters that turn values into words."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from selfcare.kernel import clock, msisdn, units, words
from selfcare.kernel.money import Money, exponent
from selfcare.kernel.words import _, ngettext

LOCALE = "en_GB"


class Templates:
    """Renders `name` ("topup/index") from the folder of templates."""

    def __init__(self, folder: Path, *, development: bool = False, **globals_: object):
        self.environment = Environment(
            loader=FileSystemLoader(folder),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=development,
            extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        )
        self.environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
        self.environment.filters.update(FILTERS)
        self.environment.globals.update(globals_)

    def render(self, name: str, context: dict[str, Any]) -> str:
        return self.environment.get_template(f"{name}.html").render(context)


def money(value: Money | None, *, sign: bool = False) -> str:
    """£24.00, −£10.00; with `sign` also +£24.00."""
    if value is None:
        return ""
    shown = _money(value.minor, value.currency)
    return f"+{shown}" if sign and value.minor > 0 else shown


@lru_cache(maxsize=4096)
def _money(minor: int, currency: str) -> str:
    digits = exponent(currency)
    sign = "\u2212" if minor < 0 else ""
    whole, part = divmod(abs(minor), 10**digits)
    shown = format_currency(whole, currency, format="¤#,##0", locale=LOCALE, currency_digits=False)
    return f"{sign}{shown}" + (f".{part:0{digits}d}" if digits else "")


def day(value: date | datetime | None, zone: str = "UTC", style: str = "d MMM yyyy") -> str:
    """1 Dec 2026. An instant is first moved to `zone`; a date has none."""
    if value is None:
        return ""
    return _day(value.astimezone(ZoneInfo(zone)).date() if isinstance(value, datetime) else value, style)


@lru_cache(maxsize=4096)
def _day(value: date, style: str) -> str:
    return format_date(value, format=style, locale=LOCALE)


def moment(value: datetime | None, zone: str = "UTC") -> str:
    """1 Dec 2026, 23:59 in the zone."""
    return _moment(value.replace(second=0, microsecond=0), zone) if value else ""


@lru_cache(maxsize=4096)
def _moment(value: datetime, zone: str) -> str:
    return format_datetime(value, format="d MMM yyyy, HH:mm", tzinfo=ZoneInfo(zone), locale=LOCALE)


def hour(value: datetime | None, zone: str = "UTC") -> str:
    """19:04 in the zone."""
    return format_time(value, format="HH:mm", tzinfo=ZoneInfo(zone), locale=LOCALE) if value else ""


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


def number(value: str | None) -> Markup:
    """A phone number that stays left to right in every language."""
    return Markup('<bdi dir="ltr">{}</bdi>').format(msisdn.show(value)) if value else Markup("")


def headers_json(value: object) -> str:
    """JSON fit for a response header: ASCII only, no line breaks."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


FILTERS: dict[str, Callable[..., Any]] = {
    "money": money,
    "date": day,
    "datetime": moment,
    "time": hour,
    "ago": ago,
    "data": units.data,
    "minutes": units.minutes,
    "duration": units.duration,
    "texts": units.texts,
    "msisdn": number,
}
