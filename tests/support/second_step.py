"""The authenticator app of a test person."""

from __future__ import annotations

import pyotp

from selfcare.kernel import clock
from tests.support.browser import Browser, Page


class Phone:
    """Reads the typed key from the page once, and from then on shows what the app would show."""

    def __init__(self, page: Page):
        self.app = pyotp.TOTP("".join(page.one("//*[@id='account-security-app']//bdi").text_content().split()))

    def code(self, steps: int = 0) -> str:
        """The code of now, or of so many half minutes away."""
        return self.app.at(clock.now(), counter_offset=steps)


async def set_up(browser: Browser) -> tuple[Phone, list[str]]:
    """Turned on, with its ten backup codes."""
    page = await browser.open("/account/security/app")
    phone = Phone(page)
    done = await page.submit("app-form", code=phone.code())
    assert done.status == 200, done.text
    return phone, [code.text for code in done.html.xpath("//li/code")]
