"""What a person can do in the portal, as verbs that wait: a slow machine takes longer and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, expect

PASSWORD = "Demo-Pass-1!"
# What nobody would wait for and a busy machine may need.
PATIENCE_SECONDS = 90
# A form that was sent and what it led to is not here yet; questions for news are asked for ever.
UNANSWERED = ".htmx-request:not([data-poll])"

expect.set_options(timeout=PATIENCE_SECONDS * 1000)

Words = str | re.Pattern[str]


class Portal:
    """One browser window on the portal."""

    def __init__(self, page: Page, address: str, *, javascript: bool):
        self.page = page
        self.address = address
        self.javascript = javascript
        self.complaints: list[str] = []
        page.context.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._listen)

    def open(self, path: str) -> None:
        self.page.goto(path)

    def sign_in(self, who: str, password: str = PASSWORD) -> None:
        """As one of the demo people, by name: "asha"."""
        self.open("/sign-in")
        self.page.get_by_label("E-mail").fill(f"{who}@example.test")
        self.page.get_by_label("Password", exact=True).fill(password)
        self.press("Sign in")

    def is_signed_in(self) -> None:
        """Waits until the sign-in page is left."""
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def enter(self, who: str) -> None:
        """Signed in without looking at the page for it, which takes half a second of each journey."""
        requests, path = self.page.context.request, f"{self.address}/sign-in"
        csrf = re.search(r'name="csrf" value="([^"]+)"', requests.get(path).text())
        assert csrf
        fields = {"csrf": csrf[1], "email": f"{who}@example.test", "password": PASSWORD}
        answer = requests.post(path, form=fields, headers={"Origin": self.address})
        assert "/sign-in" not in answer.url, answer.text()
        self.open(answer.url)

    def sign_out(self) -> None:
        self.press("Sign out")
        self.should_be_at("Sign in")

    def open_link_in_mail(self, address: str, subject: str) -> None:
        """The link of the newest mail to this address whose subject has these words."""
        mails = self.page.get_by_role("listitem").filter(has_text=f"To {address},").filter(has_text=subject)
        self.open("/demo/outbox")
        look_again_until(mails, lambda: self.follow("Refresh"))
        mails.first.get_by_role("link").click()
        self.page.locator("#mail-text a").first.click()

    def choose_new_password(self, password: str) -> None:
        self.should_be_at("Choose a new password")
        self.page.get_by_label("New password", exact=True).fill(password)
        self.press("Save Changes")
        self.should_be_at("Your password is changed")

    def press(self, name: Words) -> None:
        """And waits for the answer: what is done before it has come would break off what was sent."""
        self.page.get_by_role("button", name=name, exact=True).first.click()
        self.is_answered()

    def is_answered(self) -> None:
        expect(self.page.locator(UNANSWERED)).to_have_count(0)

    def follow(self, name: Words) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def go_to_section(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Sections").get_by_role("link", name=name, exact=True).click()

    def should_see(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def should_come_to(self, text: str, *, by_itself: bool = True) -> None:
        """What a job has to do first: the page follows by itself; without JavaScript it offers to look again."""
        news, again = self.page.get_by_text(text), self.page.get_by_role("link", name="Look again", exact=True)
        if not (by_itself and self.javascript):
            # A page that has neither leads nowhere.
            expect(news.or_(again).first).to_be_visible()
            look_again_until(news, again.first.click)
        expect(news.first).to_be_visible()

    def should_be_at(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(heading)

    def part(self, fragment_id: str) -> Locator:
        return self.page.locator(f"#{fragment_id}")

    def should_not_scroll_sideways(self) -> None:
        """Needs no script of the page: asked through the browser."""
        assert (over := too_wide(self.page)) <= 0, f"{self.page.url} is {over} px too wide"

    def _listen(self, message: ConsoleMessage) -> None:
        # A refused form (422) is an answer, not a complaint.
        if message.type == "error" and "status of 4" not in message.text:
            self.complaints.append(message.text)


def look_again_until(news: Locator, look: Callable[[], object]) -> None:
    """Has patience with whatever the server does in the background; `look` loads the page anew."""
    end = monotonic() + PATIENCE_SECONDS
    while True:
        news.page.wait_for_load_state()
        if news.count():
            return
        assert monotonic() < end, f"{news} never came to {news.page.url}"
        news.page.wait_for_timeout(250)
        look()


def wait_until(page: Page, met: Callable[[], bool]) -> None:
    """For what no locator can wait for; what the page reports arrives meanwhile."""
    end = monotonic() + PATIENCE_SECONDS
    while not met():
        assert monotonic() < end, "it never came"
        page.wait_for_timeout(50)


def too_wide(page: Page) -> int:
    """By how many pixels. Between two pages there is none to measure, so it is asked again."""
    end = monotonic() + PATIENCE_SECONDS
    while monotonic() < end:
        page.wait_for_load_state()
        with suppress(Error):
            over: int = page.locator("html").evaluate("html => html.scrollWidth - html.clientWidth")
            return over
    raise AssertionError(f"{page.url} never stood still")


class Phone:
    """The one that holds a number, in a tab of its own."""

    def __init__(self, portal: Portal, number: str) -> None:
        self.page = portal.page.context.new_page()
        self.page.goto("/demo/outbox")
        self._texts = self.page.get_by_role("listitem").filter(has_text=f"To {number},")
        self.had = self._texts.count()

    def read_code(self) -> str:
        """Of the text that came since it was picked up."""
        self.page.goto("/demo/outbox")
        look_again_until(self._texts.nth(self.had), self.page.reload)
        found = re.search(r"\b(\d{6}) is ", self._texts.first.inner_text())
        self.page.close()
        assert found
        return found[1]
