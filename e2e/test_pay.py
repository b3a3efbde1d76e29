"""Paying bills in a real browser, with and without JavaScript, on a narrow phone."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from e2e.people import Portal

PAY = re.compile("^Pay £")
THANKS = "Thank you, we have your payment"


def sign_in(portal: Portal, who: str) -> None:
    portal.enter(who)


def pay_a_part(portal: Portal, amount: str) -> None:
    """Of Asha's oldest bill: it stays open for the next journey."""
    sign_in(portal, "asha")
    portal.go_to_section("Billing")
    portal.should_be_at("Billing")
    portal.page.get_by_role("link", name=re.compile("^Bill INV-")).first.click()
    portal.should_be_at("Bill INV-")
    portal.page.get_by_role("link", name=PAY).click()
    portal.follow("Pay only a part")
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("Amount").fill(amount)


def test_two_taps_from_the_dashboard_pay_with_the_kept_card(portal: Portal) -> None:
    # One customer each: the second journey finds nothing left to pay.
    sign_in(portal, "bloom" if portal.javascript else "chidi")
    portal.follow("Pay now")
    portal.should_be_at("Pay ")
    portal.should_not_scroll_sideways()
    portal.press(PAY)
    portal.should_come_to(THANKS)
    portal.should_not_scroll_sideways()
    portal.go_to_section("Dashboard")
    portal.should_see("Nothing to pay")


def test_a_declined_card_then_the_banks_question_with_another(portal: Portal) -> None:
    pay_a_part(portal, "1.00")
    portal.page.get_by_text("A new card", exact=True).click()
    portal.press("Pay this part")
    portal.should_see("Continue to the payment page")
    portal.should_not_scroll_sideways()
    portal.follow("Continue")
    portal.page.get_by_text("not enough money").click()
    portal.press(PAY)
    portal.should_see("Not enough money on this card.")
    portal.page.get_by_text("asks for approval (3-D Secure)").click()
    portal.press(PAY)
    portal.press("No, refuse")
    portal.page.get_by_role("radio", name="Visa …4242 approves", exact=True).check()
    portal.press(PAY)
    portal.should_come_to(THANKS)


def test_the_kept_card_asks_the_bank_and_the_receipt_stays(portal: Portal) -> None:
    pay_a_part(portal, "2.00")
    portal.page.get_by_text("Mastercard •••• 4444").first.click()
    portal.press("Pay this part")
    portal.should_see("Continue to your bank")
    portal.follow("Continue")
    portal.press("Yes, approve (simulated)")
    portal.should_come_to(THANKS)
    portal.page.reload()
    portal.should_see(THANKS)
    expect(portal.page.get_by_role("button", name=PAY)).to_have_count(0)


def test_automatic_payment_is_switched_on_and_off(portal: Portal) -> None:
    sign_in(portal, "asha")
    portal.go_to_section("Billing")
    portal.follow("Automatic payment")
    portal.should_not_scroll_sideways()
    portal.press("I agree: switch it on")
    portal.should_see("It is on")
    portal.should_not_scroll_sideways()
    portal.press("Switch automatic payment off")
    portal.should_see("It is off")
