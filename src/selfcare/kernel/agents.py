"""A browser's name for itself in the words of people: "Firefox on Android". A guess, and only ever shown as one."""

from __future__ import annotations

from functools import lru_cache

from selfcare.kernel.words import _

# The first that is found counts: nearly all call themselves Mozilla, Chrome and Safari too.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)


@lru_cache(maxsize=512)
def parts(user_agent: str) -> tuple[str, str]:
    """Browser and system, each empty where it is not known."""
    return _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)


def named(user_agent: str) -> str:
    """For a list of sign-ins; empty for what no person sent."""
    browser, system = parts(user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or (_("Another browser") if user_agent else "")


def within_a_sentence(user_agent: str) -> str:
    """As `named`, where "from …" stands before it."""
    browser, system = parts(user_agent)
    return named(user_agent) if browser or system else _("an unknown device")


def _first(known: tuple[tuple[str, str], ...], text: str) -> str:
    return next((name for mark, name in known if mark in text), "")
