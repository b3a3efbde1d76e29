"""Every text a person may read passes through here. The language is set per request or mail, by context."""

from contextvars import ContextVar, Token
from gettext import NullTranslations

_translations: ContextVar[NullTranslations | None] = ContextVar("translations", default=None)
_english = NullTranslations()


def gettext(message: str) -> str:
    translations = _translations.get()
    return message if translations is None else translations.gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    return spoken().ngettext(singular, plural, n)


def spoken() -> NullTranslations:
    """The language of this context."""
    return _translations.get() or _english


def use(translations: NullTranslations | None) -> Token[NullTranslations | None]:
    """Speak this language from here on in this context; None is English."""
    return _translations.set(translations)


_ = gettext
