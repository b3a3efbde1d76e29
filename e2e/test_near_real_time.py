"""An open usage page becomes new by itself, costs next to nothing while nothing happens, and sleeps when hidden."""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from e2e.people import Portal

pytestmark = pytest.mark.parametrize("javascript", [True], ids=["js"], indirect=True)

MOBILE = "Mobile - +44 7700 900123"
SECONDS_TO_SHOW = 5.0
BYTES_PER_MINUTE = 2048
# What the server waits before it says that nothing happened: `LONGEST_WAIT_SECONDS` of /usage.
WAITS_SECONDS = 55
HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture
def usage(portal: Portal) -> Page:
    portal.sign_in("asha")
    portal.is_signed_in()
    portal.go_to_section("Usage")
    portal.follow(f"View Usage {MOBILE}")
    portal.should_be_at("Usage of")
    return portal.page


@pytest.fixture
def polls(page: Page) -> list[str]:
    """Addresses of the questions for news, as they are asked."""
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/balance?" in request.url:
            asked.append(request.url)

    page.on("request", note)
    return asked


def use_something(page: Page) -> None:
    """In another window, by the simulator of the demo."""
    other = page.context.new_page()
    other.goto("/demo")
    service = other.get_by_label("Service", exact=True)
    service.select_option(service.locator("option", has_text="900123").first.get_attribute("value"))
    other.get_by_label("What", exact=True).select_option("text")
    other.get_by_role("button", name="Use it").click()
    expect(other.get_by_role("status").first).to_be_visible()


def test_a_use_shows_within_five_seconds_without_a_reload(usage: Page) -> None:
    usage.evaluate("window.sameDocument = true")
    texts = usage.locator("#line-sms-any")
    before = texts.inner_text()
    use_something(usage)
    begun = monotonic()
    expect(texts).not_to_have_text(before, timeout=SECONDS_TO_SHOW * 1000, use_inner_text=True)
    assert monotonic() - begun <= SECONDS_TO_SHOW
    assert usage.evaluate("window.sameDocument") is True


def test_an_idle_page_asks_one_question_and_waits(usage: Page, polls: list[str]) -> None:
    usage.wait_for_timeout(6000)
    assert len(polls) == 1


def test_an_idle_minute_costs_at_most_two_kilobytes(usage: Page, page: Page) -> None:
    """All bytes of the questions and answers, heads included, as Chromium counts them; the wait is cut short."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    sent: dict[str, int] = {}
    received: dict[str, int] = {}

    def asked(event: dict[str, Any]) -> None:
        path = event["headers"].get(":path", "")
        sent[event["requestId"]] = len(f"GET {path or '/usage/' + 'x' * 120} HTTP/1.1\r\n\r\n") + sum(
            len(name) + len(value) + 4 for name, value in event["headers"].items()
        )

    network.on("Network.requestWillBeSentExtraInfo", asked)
    network.on(
        "Network.loadingFinished",
        lambda event: received.update({event["requestId"]: int(event["encodedDataLength"])}),
    )

    def shorten(route: Route) -> None:
        route.continue_(url=f"{route.request.url}&wait=1")

    page.route("**/balance?**", shorten)
    page.reload()
    page.wait_for_load_state("networkidle")
    sent.clear()
    received.clear()
    page.wait_for_timeout(7000)
    done = received.keys() & sent.keys()
    assert done, "nothing was asked"
    each = sum(sent[id] + received[id] for id in done) / len(done)
    assert each * 60 / WAITS_SECONDS <= BYTES_PER_MINUTE, f"{each:.0f} bytes a question"


def test_nothing_is_asked_in_a_hidden_tab_and_the_news_come_when_it_is_seen(usage: Page, polls: list[str]) -> None:
    aborted: list[str] = []
    usage.on("requestfailed", lambda request: aborted.append(request.url))
    usage.wait_for_timeout(2500)
    assert len(polls) == 1
    usage.evaluate(HIDE, True)
    usage.wait_for_timeout(500)
    assert aborted == polls
    texts = usage.locator("#line-sms-any")
    before = texts.inner_text()
    use_something(usage)
    usage.wait_for_timeout(4000)
    assert len(polls) == 1
    assert texts.inner_text() == before
    usage.evaluate(HIDE, False)
    expect(texts).not_to_have_text(before, timeout=3000, use_inner_text=True)
