"""Somebody new gets in without anybody's help, from the sign-in page to the dashboard."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.people import Portal

MINE = "Fresh-Start-9!"


def test_somebody_new_signs_up_by_mail_and_finds_an_account(portal: Portal) -> None:
    address = f"newcomer-{'js' if portal.javascript else 'plain'}@example.test"
    portal.open("/sign-in")
    portal.follow("Sign up")
    portal.should_not_scroll_sideways()
    portal.follow("I am new here")
    portal.page.get_by_label("E-mail").fill("newcomer")
    portal.page.locator("#new-form").evaluate("form => { form.noValidate = true }")
    portal.press("Send the link")
    portal.should_see("Enter an e-mail address like name@example.com.")
    portal.page.get_by_label("E-mail").fill(address)
    portal.press("Send the link")
    portal.should_be_at("Look at your mail")
    portal.open_link_in_mail(address, "")
    portal.should_see(address)
    portal.page.get_by_label("Your name").fill("Nadia Newcomer")
    portal.page.get_by_label("Password", exact=True).fill("short")
    portal.press("Sign up")
    expect(portal.page.locator("#new_password-error")).to_contain_text("8 characters")
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("Password", exact=True).fill(MINE)
    portal.press("Sign up")
    portal.should_be_at("You are in")
    portal.follow("Sign in")
    portal.page.get_by_label("E-mail").fill(address)
    portal.page.get_by_label("Password", exact=True).fill(MINE)
    portal.press("Sign in")
    portal.is_signed_in()
    portal.should_be_at("Nadia")
    portal.should_see("No services yet")
