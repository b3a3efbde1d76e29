"""Phone numbers: parse what people type, show them, mask them. Stored as E.164 ("+447700900123")."""

import re
from functools import lru_cache

import phonenumbers

from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _

_TYPED = re.compile(r"[0-9+().\-/ \u00a0]{3,32}", re.ASCII)


class BadNumber(Rejected):
    pass


def parse(text: str, region: str = "GB") -> str:
    """E.164. A number without a country code is one of `region`. Possible numbers pass: operators own new ranges."""
    typed = text.strip()
    if not _TYPED.fullmatch(typed):
        raise BadNumber(_hint(region))
    try:
        number = phonenumbers.parse(typed, region)
    except phonenumbers.NumberParseException as error:
        raise BadNumber(_hint(region)) from error
    if not phonenumbers.is_possible_number(number):
        raise BadNumber(_hint(region))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def show(e164: str) -> str:
    """ "+44 7700 900123"; what is no number is shown as it is."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def mask(e164: str) -> str:
    """ "+44 ••• 123": enough to recognise one's own number, too little to ring it."""
    country = show(e164).split(" ", 1)[0] if e164.startswith("+") else ""
    return f"{country} ••• {e164[-3:]}".strip()


def _hint(region: str) -> str:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    if example is None:
        return _("Enter a phone number with its country code, like +44 7700 900123.")
    local = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.NATIONAL)
    world = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return _("Enter a phone number like %(local)s or %(world)s.") % {"local": local, "world": world}
