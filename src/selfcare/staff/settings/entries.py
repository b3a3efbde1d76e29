"""What can be changed, in words, with what is in force and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from selfcare import flags
from selfcare.identity import acting
from selfcare.identity.permissions import ACTIONS
from selfcare.kernel.words import _
from selfcare.live.store import Latest
from selfcare.settings import PREFIX, Settings, limits
from selfcare.theme import Theme

Section: TypeAlias = Literal["brand", "texts", "limits", "acting"]
Kind: TypeAlias = Literal["line", "lines", "colour", "mail", "web", "number", "switch"]

SECTIONS: tuple[Section, ...] = ("brand", "texts", "limits", "acting")


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is the one in the history; `fixed_by` names the variable of the environment that wins over us."""

    name: str
    label: str
    hint: str
    kind: Kind
    value: str
    default: str
    fixed_by: str | None
    latest: Latest | None
    required: bool = True
    low: int = 0
    high: int = 120

    @property
    def field(self) -> str:
        return self.name.partition(".")[2]


@dataclass(frozen=True, slots=True)
class Feature:
    """A flag as the page shows it."""

    name: str
    words: str
    on: bool
    default: bool
    fixed: bool
    latest: Latest | None


def features(given: Settings, now: Settings, latest: Mapping[str, Latest]) -> list[Feature]:
    on, default, fixed = flags.enabled(now), flags.defaults(given), flags.fixed(given)
    return [
        Feature(name, words, name in on, name in default, name in fixed, latest.get(flags.LIVE + name))
        for name, (_on, words) in flags.table().items()
    ]


def entries(section: Section, given: Settings, now: Settings, latest: Mapping[str, Latest]) -> list[Entry]:
    if section == "limits":
        return list(_limits(given, now, latest))
    if section == "acting":
        return list(_acting(given, now, latest))
    return list(_brand(section, given, now, latest))


def _brand(section: Section, given: Settings, now: Settings, latest: Mapping[str, Latest]) -> Iterable[Entry]:
    fixed_by = PREFIX + "THEME" if given.theme else None
    for field, (where, kind, most, required, label, hint) in _brand_words().items():
        if where == section:
            name = f"brand.{field}"
            value, default = theme_text(now.operator, field), theme_text(given.operator, field)
            yield Entry(
                name, label, hint, kind, value, default, fixed_by, latest.get(name), required=required, high=most
            )


def theme_text(theme: Theme, field: str) -> str:
    if field.startswith("dark_"):
        return theme.dark.get(field.removeprefix("dark_"), "")
    return str(getattr(theme, field))


def _brand_words() -> dict[str, tuple[Section, Kind, int, bool, str, str]]:
    auto = _("Empty: worked out from the colour of light pages.")
    return {
        "name": ("brand", "line", 120, True, _("Name"), _("Stands on bills, mails and in the title of every page.")),
        "portal": ("brand", "line", 120, True, _("Name of the portal"), ""),
        "tagline": ("brand", "line", 120, True, _("Line under the name"), _("On the page for signing in.")),
        "address": ("brand", "lines", 300, False, _("Postal address"), _("On bills; at most five lines.")),
        "tax_number": ("brand", "line", 60, False, _("Tax number"), _("On bills and receipts.")),
        "brand": ("brand", "colour", 7, True, _("Colour of the brand"), _("Buttons and links, like #5b2bd9.")),
        "brand_ink": ("brand", "colour", 7, True, _("Words on buttons"), ""),
        "accent": ("brand", "colour", 7, True, _("Accent"), _("The first colour of rings and charts.")),
        "dark_link": ("brand", "colour", 7, False, _("Links on dark pages"), auto),
        "dark_accent": ("brand", "colour", 7, False, _("Accent on dark pages"), auto),
        "support_phone": ("texts", "line", 40, True, _("Phone of support"), ""),
        "support_mail": ("texts", "mail", 254, True, _("E-mail of support"), ""),
        "support_hours": ("texts", "line", 120, True, _("Help hours"), ""),
        "support_chat": ("texts", "web", 200, False, _("Address of the chat"), _("Starts with https://.")),
        "footer": ("texts", "line", 200, False, _("Line at the foot of every page"), _("Empty: the name.")),
    }


def _limits(given: Settings, now: Settings, latest: Mapping[str, Latest]) -> Iterable[Entry]:
    words = limit_words(given.currency)
    for limit in limits():
        name = f"limit.{limit.name}"
        label, hint = words[limit.name]
        yield Entry(
            name,
            label,
            hint,
            "number",
            str(getattr(now, limit.name)),
            str(getattr(given, limit.name)),
            PREFIX + limit.name.upper() if limit.name in given.given else None,
            latest.get(name),
            low=limit.metadata["low"],
            high=limit.metadata["high"],
        )


def limit_words(currency: str) -> dict[str, tuple[str, str]]:
    whole = _("Whole %(currency)s.") % {"currency": currency}
    return {
        "session_idle_minutes": (_("Minutes without a click"), _("Then people sign in again. For new sign-ins.")),
        "session_absolute_hours": (_("Hours of a sign-in"), _("Then people sign in again in any case.")),
        "second_person_above": (
            _("What staff give alone"),
            whole + " " + _("Above it a second person has to agree to a refund or a credit."),
        ),
        "most_credit": (_("Most goodwill at once"), whole),
        "topup_day_limit": (_("Top-ups of a customer in a day"), whole),
        "card_day_limit": (
            _("Purchases by a known card in a day"),
            whole + " " + _("Above it people prove again who they are."),
        ),
    }


def _acting(given: Settings, now: Settings, latest: Mapping[str, Latest]) -> Iterable[Entry]:
    fixed_by = PREFIX + "SUPPORT_ACTIONS" if "support_actions" in given.given else None
    for action, label in acting.words().items():
        if action in ACTIONS:
            name = f"acting.{action}"
            value, default = ("on" if action in one.support_actions else "off" for one in (now, given))
            yield Entry(name, label.capitalize(), "", "switch", value, default, fixed_by, latest.get(name))
