"""What a person can do in the portal, as verbs."""

from __future__ import annotations

import re
from contextlib import suppress

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, expect

PASSWORD = "Demo-Pass-1!"


class Portal:
    """One browser window on the portal."""

    def __init__(self, page: Page, address: str, *, javascript: bool):
        self.page = page
        self.address = address
        self.javascript = javascript
        self.complaints: list[str] = []
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

    def sign_out(self) -> None:
        self.press("Sign out")
        self.should_be_at("Sign in")

    def open_link_in_mail(self, address: str, subject: str) -> None:
        """The link of the newest mail to this address whose subject has these words."""
        for _ in range(100):
            self.open("/demo/outbox")
            mails = self.page.get_by_role("listitem").filter(has_text=f"To {address},").filter(has_text=subject)
            if mails.count():
                break
            self.page.wait_for_timeout(100)
        mails.first.get_by_role("link").click()
        self.page.locator("#mail-text a").first.click()

    def choose_new_password(self, password: str) -> None:
        self.should_be_at("Choose a new password")
        self.page.get_by_label("New password", exact=True).fill(password)
        self.press("Save Changes")
        self.should_be_at("Your password is changed")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def follow(self, name: str) -> None:
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def go_to_section(self, name: str) -> None:
        self.page.get_by_role("navigation", name="Sections").get_by_role("link", name=name, exact=True).click()

    def should_see(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

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


def too_wide(page: Page) -> int:
    """By how many pixels. Between two pages there is none to measure, so it is asked again."""
    for _again in range(3):
        page.wait_for_load_state()
        with suppress(Error):
            over: int = page.locator("html").evaluate("html => html.scrollWidth - html.clientWidth")
            return over
    raise AssertionError(f"{page.url} never stood still")


class Phone:
    """The one that holds a number, in a tab of its own."""

    def __init__(self, portal: Portal, number: str) -> None:
        self.page = portal.page.context.new_page()
        self.number = number
        self.had = self._texts()

    def read_code(self) -> str:
        """Of the text that came since it was picked up."""
        for _ in range(100):
            if self._texts() > self.had:
                break
            self.page.wait_for_timeout(100)
        found = re.search(r"\b(\d{6}) is ", self._of_mine().first.inner_text())
        self.page.close()
        assert found
        return found[1]

    def _texts(self) -> int:
        self.page.goto("/demo/outbox")
        return self._of_mine().count()

    def _of_mine(self) -> Locator:
        return self.page.get_by_role("listitem").filter(has_text=f"To {self.number},")
