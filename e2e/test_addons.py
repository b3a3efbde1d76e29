"""Add-ons, vouchers and automatic top-up in a real browser, with and without JavaScript, on a narrow phone."""

from __future__ import annotations

import base64
import re

from playwright.sync_api import expect

from e2e.people import Portal
from e2e.test_topup import PAY

MOBILE = re.compile("^Mobile")


def sign_in(portal: Portal) -> None:
    """One of two people: what is bought or switched here is there afterwards."""
    portal.enter("asha" if portal.javascript else "chidi")


def to_mobile(portal: Portal) -> None:
    portal.page.get_by_role("main").get_by_role("link", name=MOBILE).first.click()


def test_an_add_on_is_bought_in_three_taps_stands_on_the_service_and_ends_with_the_month(portal: Portal) -> None:
    sign_in(portal)
    portal.open("/addons")
    taps = 0
    for tap in (
        lambda: to_mobile(portal),
        lambda: portal.follow(re.compile("^Add to service.*Stream Plus")),
        lambda: portal.press(PAY),
    ):
        portal.should_not_scroll_sideways()
        tap()
        taps += 1
    portal.should_come_to("Ready to use")
    portal.should_not_scroll_sideways()
    assert taps <= 3
    portal.open("/addons")
    to_mobile(portal)
    held = portal.page.get_by_role("listitem").filter(has_text="Stream Plus").first
    expect(held).to_contain_text("£4.99 a month, next on 22 Dec 2026")
    held.get_by_role("link", name="Remove").click()
    portal.should_see("Nothing more is charged for it.")
    portal.should_not_scroll_sideways()
    portal.press("Remove it then")
    expect(held).to_contain_text("ends")
    portal.should_not_scroll_sideways()
    portal.press("Keep Stream Plus")
    expect(held).to_contain_text("next on 22 Dec 2026")


# What phones bring and Debian's Chromium lacks; on the photo is a QR code with an address.
READER = """window.BarcodeDetector = class {
    detect() { return Promise.resolve([{rawValue: "https://lark.example/v/wren-2026-gbp5-0000"}]) }
}"""
PHOTO = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def test_a_voucher_is_used_once_and_a_wrong_code_is_told_in_words(portal: Portal) -> None:
    portal.page.add_init_script(READER)
    sign_in(portal)
    portal.go_to_section("Top-Up")
    portal.follow("Use a voucher")
    code = portal.page.get_by_label("Code of the voucher")
    scanning = portal.page.get_by_role("region", name="Scan it instead")
    expect(scanning).to_be_visible(visible=portal.javascript)
    if portal.javascript:
        scanning.get_by_label("Or choose a photo of it").set_input_files(
            {"name": "voucher.png", "mimeType": "image/png", "buffer": PHOTO}
        )
        expect(code).to_have_value("WREN2026GBP50000")
    for typed in ("WREN 2026 GBP9 9999", "wren 2026 gbp5 000" + ("0" if portal.javascript else "1")):
        code.fill(typed)
        portal.press("Use voucher")
        if typed.startswith("WREN"):
            portal.should_see("This code does not work")
            expect(code).to_have_value(typed)
            portal.should_not_scroll_sideways()
    portal.should_be_at("Voucher")
    portal.should_see("£5.00")
    portal.should_not_scroll_sideways()


def test_automatic_top_up_is_agreed_to_in_words_and_switched_off(portal: Portal) -> None:
    sign_in(portal)
    portal.open("/topup/auto")
    to_mobile(portal)
    form = portal.page.locator("#auto-form")
    form.get_by_label("Add", exact=True).fill("5.001")
    portal.press("I agree: switch it on")
    # Only then is the answer there: what is typed before would be lost.
    expect(form.locator("[aria-invalid=true]").first).to_be_visible()
    expect(form.get_by_label("Add", exact=True)).to_have_value("5.001")
    form.get_by_label("When credit is below").fill("2")
    form.get_by_label("Add", exact=True).fill("10")
    form.get_by_label("At most in a calendar month").fill("30")
    portal.press("I agree: switch it on")
    # What is agreed to now stands there with these amounts.
    expect(form).to_contain_text("£30.00")
    portal.should_not_scroll_sideways()
    portal.press("I agree: switch it on")
    portal.should_see("It is on")
    portal.press("Switch automatic top-up off")
    portal.should_see("It is off")
