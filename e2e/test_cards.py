"""Keeping cards in a real browser, with and without JavaScript, on a narrow phone."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.people import Portal


def test_a_card_is_added_and_removed_again(portal: Portal) -> None:
    portal.enter("asha")
    portal.go_to_section("Billing")
    portal.follow("Cards")
    portal.follow("Add a card")
    portal.should_not_scroll_sideways()
    portal.press("Go on to the card page")
    portal.page.wait_for_url("**/simpay/**")
    portal.page.get_by_text("approves, and tells us twice").click()
    portal.press("Keep this card (simulated)")
    portal.should_see("Card ending 1881 added")
    portal.should_not_scroll_sideways()
    portal.follow("Show my cards")
    portal.should_not_scroll_sideways()
    row = portal.page.locator("li", has_text="Visa 1881")
    row.get_by_role("link", name="Edit").click()
    portal.page.get_by_label("Your name for it").fill("Shopping")
    portal.press("Save Changes")
    portal.page.locator("li", has_text="Shopping").get_by_role("link", name="Edit").click()
    portal.should_not_scroll_sideways()
    portal.follow("Remove this card")
    portal.press("Remove this card")
    portal.should_be_at("Cards")
    expect(portal.page.get_by_text("Shopping")).to_have_count(0)
