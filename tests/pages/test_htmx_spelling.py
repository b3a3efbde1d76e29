"""htmx 4 is written differently from htmx 2, and some of it not at all: the habits of htmx 2 fail without a word."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
TEMPLATES = sorted((TOP / "templates").rglob("*.html"))
SCRIPTS = [path for path in (TOP / "static" / "js").rglob("*.js") if "htmx" not in path.name]

NEVER = {
    r"\bhx-(vars|params|prompt|ext|disinherit|inherit|request|history)\b(?!-)": "is gone in htmx 4",
    r"\bhx-disabled-elt\b": "is hx-disable now",
    r"\bhx-disable(?=[\s>])|\bhx-disable=(\"\"|'')": "switches nothing off: that is hx-ignore now",
    r"\bhx-on\b": "needs eval, which our pages forbid",
    r"\bhx-boost\b": "is not used here: links are links",
    r"\bhx-[\w:-]+=[\"'](js|javascript):": "needs eval, which our pages forbid",
    r"\bhx-trigger=\"[^\"]*\[": "is a filter: it needs eval, which our pages forbid",
    r"\bhtmx:[a-z]+[A-Z]\w*": "is an event of htmx 2",
    r"\bHX-(Trigger-After-Swap|Trigger-After-Settle|Trigger-Name|Prompt)\b": "is a header of htmx 2",
    r"\b(historyCacheSize|allowEval|allowScriptTags|selfRequestsOnly|includeIndicatorStyles|responseHandling)\b": (
        "is a setting of htmx 2"
    ),
    r"\bhtmx\.(defineExtension|logAll|closest|remove|addClass|removeClass|toggleClass|off|createWebSocket)\b": (
        "is gone in htmx 4"
    ),
}


def complaints(text: str) -> list[str]:
    return [f"{hit[0]} {why}" for pattern, why in NEVER.items() for hit in re.finditer(pattern, text)]


@pytest.mark.parametrize("path", [*TEMPLATES, *SCRIPTS], ids=lambda path: path.relative_to(TOP).as_posix())
def test_nothing_is_written_as_for_htmx_2(path: Path) -> None:
    assert complaints(re.sub(r"{#.*?#}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)) == []


@pytest.mark.parametrize(
    "old",
    [
        "<div hx-disable>",
        '<form hx-disabled-elt="find button">',
        '<body hx-boost="true">',
        '<a hx-params="*">',
        '<a hx-vals="js:{a: 1}">',
        '<a hx-trigger="keyup[key==1]">',
        '<a hx-on:click="x()">',
        'addEventListener("htmx:afterSwap", f)',
        "HX-Trigger-After-Swap",
        "content='{\"historyCacheSize\": 0}'",
    ],
)
def test_the_habits_of_htmx_2_are_seen(old: str) -> None:
    assert complaints(old) != []


@pytest.mark.parametrize(
    "new",
    [
        '<form hx-post="/x" hx-target="this" hx-swap="outerHTML" hx-sync="this:drop" hx-disable="find button">',
        "<div hx-ignore>",
        '<main hx-indicator:inherited="#busy">',
        'addEventListener("htmx:response:error", f); addEventListener("htmx:after:swap", f)',
        '<a hx-status:422="swap:outerHTML" hx-trigger="balance-changed from:body">',
        '<p class="x" data-hx-request-none>',
    ],
)
def test_htmx_4_is_left_alone(new: str) -> None:
    assert complaints(new) == []
