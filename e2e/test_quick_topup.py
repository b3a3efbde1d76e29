"""A number topped up without signing in, in a real browser, with and without JavaScript, on a narrow phone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from e2e.people import Phone, Portal

NUMBER = "+447700900350"


def test_more_days_for_a_number_in_four_taps(portal: Portal) -> None:
    # One each: a mail of the first journey would do for the second.
    email = f"{'aunt' if portal.javascript else 'uncle'}-of-otto@example.test"
    taps = 0

    def tap(name: str) -> None:
        nonlocal taps
        taps += 1
        portal.press(name)

    phone = Phone(portal, NUMBER)
    portal.open("/quick-topup")
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("Number to top up").fill(NUMBER)
    tap("Continue")
    portal.should_be_at("Enter the code")
    portal.page.get_by_label("Code").fill(phone.read_code())
    tap("Go on")
    portal.should_be_at("What to add")
    portal.should_not_scroll_sideways()
    slider = portal.page.get_by_label("Days", exact=True)
    slider.focus()
    slider.press("ArrowLeft")
    if portal.javascript:
        expect(portal.page.get_by_label("or type how many")).to_have_value("6")
    tap("Continue")
    portal.should_be_at("Check and pay")
    portal.should_see("£60.00")
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("Your name").fill("Aunt Mary")
    portal.page.get_by_label("E-mail for the receipt").fill("aunt")
    portal.page.locator("#buy").evaluate("form => { form.noValidate = true }")
    portal.press("Pay £60.00 by card")
    portal.should_see("Enter an e-mail address like name@example.com.")
    portal.page.get_by_label("E-mail for the receipt").fill(email)
    tap("Pay £60.00 by card")
    portal.should_see("Continue to the payment page")
    assert taps == 4
    portal.follow("Continue")
    portal.page.get_by_role("radio").first.check()
    portal.press(re.compile("^Pay £"))
    portal.should_come_to("Ready to use")
    portal.should_not_scroll_sideways()
    assert "token" not in portal.page.url
    portal.open_link_in_mail(email, "Receipt")
    portal.should_see("Ready to use")
    portal.should_see("6 more days")
