"""A bill paid by somebody without a sign-in, in a real browser, with and without JavaScript, on a narrow phone."""

from __future__ import annotations

import re

from e2e.people import Portal


def test_somebody_else_pays_by_a_link(portal: Portal) -> None:
    portal.enter("asha")
    portal.go_to_section("Billing")
    portal.should_be_at("Billing")
    portal.page.get_by_role("link", name=re.compile("^Bill INV-")).first.click()
    portal.should_be_at("Bill INV-")
    portal.follow("Let somebody else pay")
    portal.should_not_scroll_sideways()
    portal.press("Make a link")
    link = portal.part("made-link").locator("bdi").inner_text()
    portal.should_not_scroll_sideways()
    portal.sign_out()
    portal.open(link)
    portal.should_be_at("Pay bill")
    assert "token" not in portal.page.url
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("E-mail for the receipt").fill("aunt@example.test")
    portal.press(re.compile("^Pay £"))
    portal.follow("Continue")
    portal.page.get_by_text("asks for approval (3-D Secure)").click()
    portal.press(re.compile("^Pay £"))
    portal.press("Yes, approve (simulated)")
    portal.should_come_to("Thank you, we have your payment")
    portal.should_not_scroll_sideways()
    portal.open(link)
    portal.should_be_at("This link does not work any more")
