"""One article, and how well it fits the words somebody typed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

MOST_WORDS = 8
IN_TITLE, IN_KEYWORDS, IN_TEXT = 9, 5, 1
_WORD = re.compile(r"\w+")
# They say nothing about what is asked.
_EMPTY = frozenset(
    _WORD.findall("a an and are can do does for how i in is it me my of on or the to what when where why with")
)


@dataclass(frozen=True, slots=True)
class Article:
    """`links` lead to the real pages: words and route name. `request` is what we can be asked to do about it."""

    slug: str
    title: str
    text: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    request: str | None = None
    keywords: str = ""
    words: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        for part, weight in ((" ".join(self.text), IN_TEXT), (self.keywords, IN_KEYWORDS), (self.title, IN_TITLE)):
            self.words.update(dict.fromkeys(_words(part), weight))


def search(text: str, articles: Iterable[Article]) -> list[Article]:
    """The best first: those with most of the words, then those that have them in better places."""
    asked = [word for word in _words(text) if word not in _EMPTY][:MOST_WORDS]
    found = [(_score(asked, article), article) for article in articles]
    return [article for score, article in sorted(found, key=lambda one: one[0], reverse=True) if score > (0, 0, 0)]


def _score(asked: list[str], article: Article) -> tuple[int, int, int]:
    """How many of the words it has, how many of them just so, and how good their places are."""
    places = [max((weight for word, weight in article.words.items() if _fits(one, word)), default=0) for one in asked]
    return sum(place > 0 for place in places), sum(word in article.words for word in asked), sum(places)


def _fits(asked: str, word: str) -> bool:
    """Beginnings count, either way round: "bill" finds "bills", and "bills" finds "bill"."""
    return asked == word or (len(asked) >= 3 and word.startswith(asked)) or (len(word) >= 4 and asked.startswith(word))


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return _WORD.findall("".join(sign for sign in plain if not unicodedata.combining(sign)))
