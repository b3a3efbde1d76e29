"""An open usage page becomes new by itself, costs next to nothing while nothing happens, and sleeps when hidden."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from e2e.people import Portal, wait_until

pytestmark = pytest.mark.parametrize("javascript", [True], ids=["js"], indirect=True)

MOBILE = "Mobile - +44 7700 900123"
BYTES_PER_MINUTE = 2048
# What the server waits before it says that nothing happened: `LONGEST_WAIT_SECONDS` of /usage.
WAITS_SECONDS = 55
HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture
def usage(portal: Portal) -> Page:
    portal.enter("asha")
    portal.go_to_section("Usage")
    portal.follow(f"View Usage {MOBILE}")
    portal.should_be_at("Usage of")
    return portal.page


@pytest.fixture
def polls(page: Page) -> list[Request]:
    """The questions for news, as they are asked. To be had before the page that asks them."""
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "/balance?" in request.url else None)
    return asked


def has_asked(usage: Page, polls: list[Request]) -> None:
    wait_until(usage, lambda: bool(polls))


def use_something(page: Page) -> None:
    """In another window, by the simulator of the demo."""
    other = page.context.new_page()
    other.goto("/demo")
    service = other.get_by_label("Service", exact=True)
    service.select_option(service.locator("option", has_text="900123").first.get_attribute("value"))
    other.get_by_label("What", exact=True).select_option("text")
    other.get_by_role("button", name="Use it").click()
    expect(other.get_by_text("was counted")).to_be_visible()
    other.close()


def test_a_use_is_the_answer_to_the_open_question_and_shows_without_a_reload(polls: list[Request], usage: Page) -> None:
    """How soon, `just bench-idle` measures: on a busy machine every limit of seconds would be met by chance."""
    has_asked(usage, polls)
    usage.evaluate("window.sameDocument = true")
    texts = usage.locator("#line-sms-any")
    before = texts.inner_text()
    use_something(usage)
    expect(texts).not_to_have_text(before, use_inner_text=True)
    answer = polls[0].response()
    assert answer is not None
    assert answer.status == 200
    assert usage.evaluate("window.sameDocument") is True


def test_an_idle_page_asks_one_question_and_waits(polls: list[Request], usage: Page) -> None:
    has_asked(usage, polls)
    usage.wait_for_timeout(3000)
    assert len(polls) == 1


def test_an_idle_minute_costs_at_most_two_kilobytes(usage: Page, page: Page) -> None:
    """All bytes of the questions and answers, heads included, as Chromium counts them; the wait is cut short."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    asked: set[str] = set()
    sent: dict[str, int] = {}
    received: dict[str, int] = {}

    def note_question(event: dict[str, Any]) -> None:
        if "/balance?" in event["request"]["url"]:
            asked.add(event["requestId"])

    def count_sent(event: dict[str, Any]) -> None:
        path = event["headers"].get(":path", "")
        sent[event["requestId"]] = len(f"GET {path or '/usage/' + 'x' * 120} HTTP/1.1\r\n\r\n") + sum(
            len(name) + len(value) + 4 for name, value in event["headers"].items()
        )

    network.on("Network.requestWillBeSent", note_question)
    network.on("Network.requestWillBeSentExtraInfo", count_sent)
    network.on(
        "Network.loadingFinished",
        lambda event: received.update({event["requestId"]: int(event["encodedDataLength"])}),
    )

    def shorten(route: Route) -> None:
        route.continue_(url=f"{route.request.url}&wait=1")

    page.route("**/balance?**", shorten)
    page.reload()
    wait_until(page, lambda: len(asked & sent.keys() & received.keys()) >= 2)
    done = asked & sent.keys() & received.keys()
    each = sum(sent[id] + received[id] for id in done) / len(done)
    assert each * 60 / WAITS_SECONDS <= BYTES_PER_MINUTE, f"{each:.0f} bytes a question"


def test_nothing_is_asked_in_a_hidden_tab_and_the_news_come_when_it_is_seen(polls: list[Request], usage: Page) -> None:
    aborted: list[Request] = []
    usage.on("requestfailed", lambda request: aborted.append(request))
    has_asked(usage, polls)
    usage.evaluate(HIDE, True)
    wait_until(usage, lambda: aborted == polls)
    texts = usage.locator("#line-sms-any")
    before = texts.inner_text()
    use_something(usage)
    # What the script leaves where it would have asked.
    expect(usage.locator("[data-slept]")).to_have_count(1)
    assert len(polls) == 1
    assert texts.inner_text() == before
    usage.evaluate(HIDE, False)
    expect(texts).not_to_have_text(before, use_inner_text=True)
