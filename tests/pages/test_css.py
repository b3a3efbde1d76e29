"""The style sheet and our script: their weight, what old phones can read, and whether templates know their styles."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from selfcare.theme import GRAPHICS, TEXT, contrast, load
from selfcare.web.assets import STYLE_ORDER, Assets
from tests.test_theme import palette

ROOT = Path(__file__).parents[2]
STATIC = ROOT / "static"
TEMPLATES = [file for file in (ROOT / "templates").rglob("*.html") if "messages" not in file.parts]
STYLES = {file.name: re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S) for file in STATIC.rglob("*.css")}
ALL_STYLES = "\n".join(STYLES.values())

CSS_BROTLI, APP_GZIP, SCRIPTS_BROTLI = 8_000, 2_500, 17_000

# Newer than the oldest phones we serve, and without a way to be ignored in part.
NOT_USED = {
    "@layer": r"@layer\b",
    ":has()": r":has\(",
    "nesting": r"{[^{}]*&|}\s*&",
    "container queries": r"@container|container-type",
    "newer colours": r"\b(oklch|oklab|lch|lab|color-mix|light-dark|color)\(",
    "subgrid": r"\bsubgrid\b",
    "popover and anchors": r":popover-open|\banchor-name\b|position-area",
    "selectors that drop the whole rule": r":is\(|:where\(",
    "@import": r"@import",
    "web fonts": r"@font-face",
    "addresses": r"url\(",
}
# What a newer line may say only after an older line said it, in the same rule: pattern → what must come before.
AFTER_A_FALLBACK = {
    r"\binset\s*:": r"\b(top|left)\s*:",
    r"\bpadding-inline\s*:": r"\bpadding(-left)?\s*:",
    r"\bmargin-inline\s*:": r"\bmargin(-left)?\s*:",
    r":\s*100dvh": r":\s*100vh",
    r"overflow-wrap\s*:\s*anywhere": r"overflow-wrap\s*:\s*break-word|word-break\s*:\s*break-word|monospace",
}
# Classes that are only handles for code and tests, or come from values in the templates.
HANDLES = {"service", "portal", "plain", "staff", "done", "failed", "now", "next", "field", "icon", "fall", "qr", "b"}


@pytest.fixture(scope="module")
def assets() -> Assets:
    return Assets(STATIC, extra_css=load().css())


def test_the_style_sheet_is_light(assets: Assets) -> None:
    assert assets.size("app.css", "br") <= CSS_BROTLI


def test_our_own_script_is_tiny() -> None:
    assert len(gzip.compress((STATIC / "js" / "app.js").read_bytes(), 9)) <= APP_GZIP


def test_all_scripts_together_are_light(assets: Assets) -> None:
    scripts = [f"js/{file.name}" for file in (STATIC / "js").glob("*.js")]
    assert sum(assets.size(name, "br") for name in scripts) <= SCRIPTS_BROTLI


@pytest.mark.parametrize("feature", NOT_USED)
def test_old_phones_read_every_rule(feature: str) -> None:
    assert [name for name, css in STYLES.items() if re.search(NOT_USED[feature], css)] == []


@pytest.mark.parametrize("newer", AFTER_A_FALLBACK)
def test_newer_properties_follow_an_older_one(newer: str) -> None:
    bare = [
        rule
        for rule in re.findall(r"[^{}]+{[^{}]*}", ALL_STYLES)
        if (found := re.search(newer, rule)) and not re.search(AFTER_A_FALLBACK[newer], rule[: found.start()])
    ]
    assert bare == []


def test_rows_of_flexible_boxes_need_no_gap() -> None:
    rules = re.findall(r"([^{}]+){([^{}]*)}", ALL_STYLES)
    assert [
        selector.strip() for selector, body in rules if "display: flex" in body and re.search(r"\bgap\s*:", body)
    ] == []


def test_text_can_be_enlarged() -> None:
    assert re.findall(r"font-size:\s*\d+px", ALL_STYLES) == []
    assert re.findall(r"(?<!min-)(?<!max-)\bheight:\s*(?:1[2-9]|[2-9]\d|\d{3,})px", ALL_STYLES) == []


def test_the_files_stand_in_the_order_of_the_cascade() -> None:
    assert {f"{name}.css" for name in STYLE_ORDER} <= set(STYLES)


def test_every_class_of_a_template_is_styled() -> None:
    styled = set(re.findall(r"\.(-?[a-zA-Z_][\w-]*)", re.sub(r"{[^{}]*}", "{}", ALL_STYLES)))
    used: dict[str, str] = {}
    for file in TEMPLATES:
        for value in re.findall(r'\bclass="([^"]*)"', re.sub(r"{[{%#].*?[}%#]}", " ", file.read_text(), flags=re.S)):
            used |= dict.fromkeys(value.split(), file.name)
    assert {name: where for name, where in used.items() if name not in styled | HANDLES} == {}


def test_every_icon_of_a_template_is_in_the_sprite() -> None:
    known = set(re.findall(r'id="i-([\w-]+)"', (ROOT / "templates/components/icons.html").read_text()))
    used = {name for file in TEMPLATES for name in re.findall(r'\b(?:icon\(|symbol=)"([\w-]+)"', file.read_text())}
    assert used <= known


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_controls_and_placeholders_stand_out_in_both_themes(mode: str) -> None:
    colours = palette(mode, load())
    assert contrast(colours["mute"], colours["soft"]) >= TEXT
    assert contrast(colours["edge"], colours["soft"]) >= GRAPHICS
    assert contrast(colours["ink"], colours["card"]) >= GRAPHICS


def test_the_support_banner_can_be_read() -> None:
    ground = re.search(r"\.acting {[^}]*color: (#\w+); background: (#\w+)", ALL_STYLES)
    assert ground is not None
    assert contrast(ground[1].replace("#fff", "#ffffff"), ground[2]) >= TEXT
