"""Money and times as people read them: on pages, in mails, on paper."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, get_currency_symbol

from selfcare.kernel.money import Money, exponent, round_half_up

LOCALE = "en_GB"
_LOCALE = Locale.parse(LOCALE)


# Two letters each; the others are groups of countries and places for tests.
COUNTRIES = frozenset(code for code in map(str, _LOCALE.territories) if len(code) == 2 and code.isalpha())
COUNTRIES -= {"EU", "EZ", "UN", "XA", "XB", "ZZ"}


def money(value: Money | None, *, sign: bool = False) -> str:
    """£24.00, −£10.00; with `sign` also +£24.00."""
    if value is None:
        return ""
    shown = _money(value.minor, value.currency)
    return f"+{shown}" if sign and value.minor > 0 else shown


def minor(value: int, currency: str) -> str:
    """£24.00 from 2400 and GBP, for figures that come without their Money."""
    return _money(value, currency)


def about(value: int, currency: str) -> str:
    """£6 from 618 and GBP: rounded to whole units where there are some, for figures that are guesses."""
    unit = int(10 ** exponent(currency))
    if abs(value) < 3 * unit:
        return _money(value, currency)
    return _money(round_half_up(value, unit) * unit, currency).removesuffix("." + "0" * exponent(currency))


def symbol(currency: str) -> str:
    """£"""
    return get_currency_symbol(currency, locale=LOCALE)


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
    return _hour(value.replace(second=0, microsecond=0), zone) if value else ""


@lru_cache(maxsize=4096)
def _hour(value: datetime, zone: str) -> str:
    return format_time(value, format="HH:mm", tzinfo=ZoneInfo(zone), locale=LOCALE)


def country(code: str | None) -> str:
    """United Kingdom; a code that is none stays as it is."""
    return str(_LOCALE.territories.get(code, code)) if code else ""
