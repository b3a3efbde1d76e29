"""What a password must be, all unmet rules told at once.

The default is the operator's brief: at least 8 characters with upper case, lower case, a digit and one of !@#$%^&*.
`nist` asks for length alone. Both refuse what thieves try first and what can be guessed from the person.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from selfcare.kernel.errors import Rejected
from selfcare.kernel.words import _
from selfcare.settings import Settings

LONGEST = 128
SIGNS = "!@#$%^&*"
_COMMON = Path(__file__).with_name("common_passwords.txt")
_WORD = re.compile(r"[^\W\d_]{4,}")


class Weak(Rejected):
    """`rules` are the unmet ones, in words."""

    def __init__(self, rules: list[str]):
        super().__init__(" ".join(rules), field="new_password")
        self.rules = rules


@dataclass(frozen=True, slots=True)
class Policy:
    """`kind` is "default" or "nist"; `own_words` are the operator's names."""

    kind: str = "default"
    own_words: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        return cls(settings.password_policy, (settings.operator.name, settings.operator.portal))

    @property
    def shortest(self) -> int:
        return 15 if self.kind == "nist" else 8

    @property
    def rules(self) -> list[str]:
        """For the list beside the field, before anything is typed."""
        length = _("at least %(n)d characters") % {"n": self.shortest}
        if self.kind == "nist":
            return [length, _("not a password that is in common use")]
        return [
            length,
            _("an upper case and a lower case letter"),
            _("a digit"),
            _("one of these signs: %(signs)s") % {"signs": SIGNS},
        ]

    def check(self, password: str, *, email: str, name: str, is_current: bool = False) -> None:
        """Raises Weak."""
        normal = unicodedata.normalize("NFC", password)
        unmet = [message for broken, message in self._tests(normal) if broken]
        guess = _own_word(normal, (*self.own_words, email.partition("@")[0], name))
        if guess:
            unmet.append(_("Leave out your name, your e-mail name and ours."))
        if normal.casefold() in common():
            unmet.append(_("This password is one that thieves try first. Choose another."))
        if is_current:
            unmet.append(_("This is your password already. Choose a new one."))
        if unmet:
            raise Weak(unmet)

    def _tests(self, password: str) -> list[tuple[bool, str]]:
        tests = [
            (len(password) < self.shortest, _("Use at least %(n)d characters.") % {"n": self.shortest}),
            (len(password) > LONGEST, _("Use at most %(n)d characters.") % {"n": LONGEST}),
        ]
        if self.kind == "nist":
            return tests
        return [
            *tests,
            (not _has(password, str.isupper), _("Add an upper case letter.")),
            (not _has(password, str.islower), _("Add a lower case letter.")),
            (not _has(password, str.isdigit), _("Add a digit.")),
            (not any(sign in password for sign in SIGNS), _("Add one of these signs: %(signs)s") % {"signs": SIGNS}),
        ]


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """Common passwords that meet the default rule: others it refuses anyway."""
    return frozenset(line.casefold() for line in _COMMON.read_text(encoding="utf-8").split())


def _has(password: str, test: Callable[[str], bool]) -> bool:
    return any(test(character) for character in password)


def _own_word(password: str, texts: tuple[str, ...]) -> bool:
    folded = password.casefold()
    return any(word.casefold() in folded for text in texts for word in _WORD.findall(text))
