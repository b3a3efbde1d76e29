"""What every page must be, whatever it shows. One function per promise; each names what it found."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import html5lib
from lxml.html import HtmlElement

from tests.support.browser import Page

HTML_BUDGET = 14_000
_SCRIPT = re.compile(r'<script defer src="/static/[^"]+\.js"></script>')


def problems(page: Page, routed: Callable[[str], bool]) -> list[str]:
    """Everything that is wrong with a page; `routed` says whether a path leads anywhere."""
    html = page.html
    found = [
        *_syntax(page),
        *_headings(html),
        *_ids(html),
        *_forms(html),
        *_labels(html),
        *_inline(page, html),
        *_htmx(html, routed),
        *_links(html, routed),
        *_headers(page),
        *_weight(page),
    ]
    return [f"{page.browser.name} {page.path}: {one}" for one in found]


def _syntax(page: Page) -> Iterator[str]:
    parser = html5lib.HTMLParser(strict=False, namespaceHTMLElements=False)
    parser.parse(page.answer.text)
    for (line, column), code, values in parser.errors[:5]:
        yield f"invalid HTML at {line}:{column}: {code} {values}"


def _headings(html: HtmlElement) -> Iterator[str]:
    headings = html.xpath("//h1")
    if len(headings) != 1:
        yield f"{len(headings)} h1"
        return
    heading = " ".join(headings[0].text_content().split())
    title = html.xpath("string(//title)").removeprefix("Error: ").strip()
    if not title.startswith(heading):
        yield f"title {title!r} does not start with the heading {heading!r}"
    levels = [int(one.tag[1]) for one in html.xpath("//h1|//h2|//h3|//h4")]
    for before, after in pairwise(levels):
        if after > before + 1:
            yield f"h{after} follows h{before}"


def _ids(html: HtmlElement) -> Iterator[str]:
    for name, times in Counter(html.xpath("//@id")).items():
        if times > 1:
            yield f"id {name!r} {times} times"
    known = set(html.xpath("//@id"))
    for attribute in ("for", "aria-describedby", "aria-labelledby"):
        for value in html.xpath(f"//@{attribute}"):
            for one in value.split():
                if one not in known:
                    yield f"{attribute}={one!r} points nowhere"


def _forms(html: HtmlElement) -> Iterator[str]:
    for form in html.xpath("//form"):
        name = form.get("id") or form.get("action")
        if not form.get("action") or form.get("method") not in ("get", "post"):
            yield f"form {name} lacks action or method"
        if form.get("method") == "post" and not form.xpath(".//input[@name='csrf' and string-length(@value) > 20]"):
            yield f"form {name} lacks its token"
        if form.get("method") == "get" and form.xpath(".//input[@name='csrf']"):
            yield f"form {name} would put its token into the address"
        if not form.xpath(".//button[not(@type) or @type='submit'] | .//input[@type='submit']"):
            yield f"form {name} has no button"


def _labels(html: HtmlElement) -> Iterator[str]:
    for field in html.xpath("//input[not(@type='hidden')] | //select | //textarea"):
        named = field.get("aria-label") or field.get("aria-labelledby") or field.xpath("ancestor::label")
        if not named and not html.xpath(f"//label[@for='{field.get('id')}']"):
            yield f"field {field.get('name')} has no label"
    for button in html.xpath("//button | //a[@href]"):
        if not (button.text_content().strip() or button.get("aria-label")):
            yield "a button or link without a name"
    for image in html.xpath("//img[not(@alt)]"):
        yield f"image {image.get('src')} without alt"


def _inline(page: Page, html: HtmlElement) -> Iterator[str]:
    if html.xpath("//@style | //style"):
        yield "inline style"
    for name in {one for element in html.iter() for one in element.attrib if one.startswith("on")}:
        yield f"inline handler {name}"
    if page.answer.text.count("<script") != len(_SCRIPT.findall(page.answer.text)):
        yield "a script that is not a shipped file"


def _htmx(html: HtmlElement, routed: Callable[[str], bool]) -> Iterator[str]:
    for target in html.xpath("//@hx-target"):
        elsewhere = target not in ("this", "body") and not target.startswith("closest ")
        if elsewhere and not (target.startswith("#") and html.xpath(f"//*[@id='{target[1:]}']")):
            yield f"hx-target {target!r} is not on the page"
    for url in html.xpath("//@hx-get | //@hx-post"):
        if not routed(url):
            yield f"htmx address {url!r} leads nowhere"
    if html.xpath("//@hx-on | //@hx-boost | //@hx-vals[starts-with(., 'js:')]"):
        yield "an htmx attribute we do not use"


def _links(html: HtmlElement, routed: Callable[[str], bool]) -> Iterator[str]:
    for url in html.xpath("//a/@href | //form/@action"):
        if url.startswith("/") and not routed(url):
            yield f"link {url!r} leads nowhere"
        elif not url.startswith(("/", "#", "tel:", "sms:", "mailto:", "https://", "data:text/plain;")):
            yield f"link {url!r} is of no known kind"


def _headers(page: Page) -> Iterator[str]:
    wanted = {
        "content-security-policy": "default-src 'none'",
        "x-content-type-options": "nosniff",
        "referrer-policy": "strict-origin-when-cross-origin",
        "cross-origin-opener-policy": "same-origin",
        "strict-transport-security": "max-age=63072000",
        "cache-control": "no-store",
        "x-request-id": "R-",
    }
    for name, start in wanted.items():
        if not page.headers.get(name, "").startswith(start):
            yield f"header {name} is {page.headers.get(name)!r}"


def _weight(page: Page) -> Iterator[str]:
    size = len(gzip.compress(page.answer.content, 6))
    if size > HTML_BUDGET:
        yield f"{size} bytes of HTML in gzip; the budget is {HTML_BUDGET}"
