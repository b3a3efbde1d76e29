"""What somebody typed: kept as text, read by explicit readers, refused beside the field.

Readers note their own error and answer None, so a handler reads everything first and then asks `if form:` once.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from datetime import date
from typing import Any
from uuid import UUID

from litestar import Request

from selfcare.kernel import ids, msisdn, numbers
from selfcare.kernel.errors import Rejected
from selfcare.kernel.money import Money, parse_amount
from selfcare.kernel.plastic import has_card_number
from selfcare.kernel.words import _
from selfcare.web.context import context_of

LONGEST_EMAIL = 254
SECRET_FIELDS = frozenset(
    {"csrf", "password", "new_password", "current_password", "code", "backup_code", "pin", "token", "passkey"}
)
_EMAIL = re.compile(r"[^@\s\"<>,;:\\()\[\]]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Form:
    """Typed text and errors of one form. True while nothing was refused."""

    def __init__(self, values: dict[str, str], *, several: dict[str, list[str]] | None = None):
        self.values = values
        self.several = several or {}
        self.errors: dict[str, str] = {}

    @classmethod
    async def read(cls, request: Request[Any, Any, Any], *names: str, several: Collection[str] = ()) -> Form:
        """The named fields of the posted form; anything else that was sent is ignored. Missing ones are empty."""
        pairs = context_of(request).form or []
        values = dict.fromkeys((*names, "request_key"), "")
        lists: dict[str, list[str]] = {name: [] for name in several}
        for name, value in reversed(pairs):
            if name in values:
                values[name] = value
            elif name in lists:
                lists[name].insert(0, value)
        return cls(values, several=lists)

    @classmethod
    def query(cls, request: Request[Any, Any, Any], *names: str) -> Form:
        """The same for a GET form such as a filter bar."""
        return cls({name: request.query_params.get(name, "") for name in names})

    @classmethod
    def empty(cls, *names: str, **prefilled: str) -> Form:
        return cls(dict.fromkeys(names, "") | prefilled | {"request_key": ids.token()})

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __bool__(self) -> bool:
        return not self.errors

    @property
    def request_key(self) -> str:
        """The key of this rendering of the form; a fresh one where somebody sent none."""
        key = self.values.get("request_key", "")
        return key if 16 <= len(key) <= 64 and key.isascii() else self.values.setdefault("fresh_key", ids.token())

    def reject(self, field: str | None, problem: Rejected | str) -> None:
        """Refuse with words beside `field` (None: about the whole form). The first problem of a field stays."""
        message = problem.message if isinstance(problem, Rejected) else problem
        self.errors.setdefault(field or "", message)

    def text(self, name: str, *, most: int, least: int = 1, lines: bool = False) -> str | None:
        """Trimmed NFC text without control characters, `least` to `most` characters; empty only if least is 0."""
        value = unicodedata.normalize("NFC", self[name]).strip()
        if lines:
            # Browsers count a line's end as one character and send two.
            value = value.replace("\r\n", "\n")
        if _CONTROL.search(value) or (not lines and ("\n" in value or "\r" in value)):
            self.reject(name, _("Use letters, numbers and ordinary signs only."))
        elif len(value) < least:
            self.reject(name, _("Fill this in.") if least == 1 else _("Use at least %(n)d characters.") % {"n": least})
        elif len(value) > most:
            self.reject(name, _("Use at most %(n)d characters.") % {"n": most})
        elif has_card_number(value):
            # Not even shown again.
            self.values[name] = ""
            self.reject(name, _("This looks like a card number. Never type one here: only the bank's page needs it."))
        else:
            return value
        return None

    def email(self, name: str = "email") -> str | None:
        value = unicodedata.normalize("NFC", self[name]).strip()
        if len(value) > LONGEST_EMAIL or not _EMAIL.fullmatch(value):
            self.reject(name, _("Enter an e-mail address like name@example.com."))
            return None
        return value

    def phone(self, name: str, *, region: str) -> str | None:
        try:
            return msisdn.parse(self[name], region)
        except Rejected as problem:
            self.reject(name, problem)
            return None

    def amount(self, name: str, currency: str) -> Money | None:
        try:
            return parse_amount(self[name], currency)
        except Rejected as problem:
            self.reject(name, problem)
            return None

    def uuid(self, name: str, message: str | None = None) -> UUID | None:
        try:
            return UUID(self[name])
        except ValueError:
            self.reject(name, message or _("Choose one of the options."))
            return None

    def choice(self, name: str, options: Collection[str], message: str | None = None) -> str | None:
        if self[name] in options:
            return self[name]
        self.reject(name, message or _("Choose one of the options."))
        return None

    def flag(self, name: str) -> bool:
        return self[name] in ("on", "1", "yes", "true")

    def day(self, name: str) -> date | None:
        try:
            return date.fromisoformat(self[name])
        except ValueError:
            self.reject(name, _("Enter a date like 2026-12-01."))
            return None

    def hidden_number(self, name: str) -> int:
        """Of a field that our own page filled. What is no number of ours is as good as another number: -1."""
        found = numbers.whole(self[name], most=10**15 - 1)
        return -1 if found is None else found

    def whole(self, name: str, *, least: int, most: int) -> int | None:
        found = numbers.whole(self[name].strip(), least=least, most=most)
        if found is None:
            self.reject(name, _("Enter a whole number from %(least)d to %(most)d.") % {"least": least, "most": most})
        return found


def keepable(pairs: list[tuple[str, str]]) -> list[list[str]]:
    """The typed fields that may be shown again after a new sign-in: never passwords, codes, tokens or card numbers."""
    return [
        [name, value]
        for name, value in pairs
        if name not in SECRET_FIELDS and "password" not in name and not has_card_number(value)
    ]
