"""Every page in a real browser: nothing inaccessible, nothing wider than a narrow phone, nothing too heavy."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Request

from e2e.people import Portal, too_wide

MOST_PAGES = 40
# Where people look most, and each finds something else.
SECTIONS = {"/", "/services", "/usage", "/billing", "/topup", "/account"}
COLD_BYTES, COLD_REQUESTS = 30_000, 4
JS_BYTES, CSS_BYTES = 17_000, 8_000
WIDEST = """[...document.querySelectorAll('main *, header *, footer *')]
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .slice(-3).map(one => one.outerHTML.slice(0, 90)).join(' | ')"""
WITH_JS = pytest.mark.parametrize("javascript", [True], ids=["js"], indirect=True)


@pytest.fixture(scope="module")
def examined() -> set[str]:
    """Address patterns that axe has seen a page of, whoever it was shown to: it takes longer than all the rest."""
    return set()


def pattern_of(path: str) -> str:
    return re.sub(r"[0-9a-f-]{36}", "*", path.partition("?")[0])


def pages_of(page: Page) -> Iterator[str]:
    """The start page and everything it leads to, each address pattern twice at most."""
    waiting, seen, patterns = ["/"], set(), {}
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        pattern = pattern_of(path)
        if path in seen or patterns.get(pattern, 0) >= 2:
            continue
        seen.add(path)
        patterns[pattern] = patterns.get(pattern, 0) + 1
        page.goto(path)
        yield path
        links = page.locator("a[href^='/']:not([download])").evaluate_all(
            "all => all.map(one => one.getAttribute('href'))"
        )
        waiting += [link for link in links if not re.search(r"\.(csv|json|pdf|zip)\b|/file$", link)]


@WITH_JS
@pytest.mark.parametrize("who", ["asha", "bloom", "chidi"])
def test_axe_finds_nothing_and_nothing_is_too_wide(portal: Portal, page: Page, who: str, examined: set[str]) -> None:
    portal.enter(who)
    axe, found, browser = Axe(), [], page.context.new_cdp_session(page)
    for path in pages_of(page):
        if pattern_of(path) not in examined - SECTIONS:
            examined.add(pattern_of(path))
            for violation in axe.run(page).response["violations"]:
                nodes = "; ".join(node["html"][:120] for node in violation["nodes"][:3])
                found.append(f"{path}: {violation['id']}: {violation['help']}: {nodes}")
        for zoom in (200, 100):
            # As in the browser's own settings: media queries in em follow, which a style on the page would not move.
            browser.send("Page.setFontSizes", {"fontSizes": {"standard": 16 * zoom // 100}})
            if (over := too_wide(page)) > 0:
                found.append(f"{path}: {over} px too wide at {zoom} % text, by {page.evaluate(WIDEST)}")
    assert not found, "\n".join(found[:30])


@WITH_JS
def test_a_cold_dashboard_is_light(portal: Portal, page: Page) -> None:
    portal.enter("asha")
    loaded: list[Request] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.clearBrowserCache")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.on("requestfinished", lambda request: loaded.append(request))
    page.goto("/", wait_until="networkidle")
    sizes = {one.url: one.sizes() for one in loaded if one.url.startswith("http")}
    total = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes.values())
    scripts = sum(size["responseBodySize"] for url, size in sizes.items() if ".js" in url)
    styles = sum(size["responseBodySize"] for url, size in sizes.items() if ".css" in url)
    assert len(sizes) <= COLD_REQUESTS, sorted(sizes)
    assert total <= COLD_BYTES, (total, sizes)
    assert 0 < scripts <= JS_BYTES
    assert 0 < styles <= CSS_BYTES
