"""A forgotten password, a new address, somebody invited, a sign-in ended elsewhere."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.people import Portal

NEW_PASSWORD = "Brand-New-77!"
WITH_JS = pytest.mark.parametrize("javascript", [True], ids=["js"], indirect=True)


def test_a_forgotten_password_is_replaced_by_mail_and_the_link_works_once(portal: Portal) -> None:
    who, name = ("empty", "Emma") if portal.javascript else ("chidi", "Chidi")
    portal.open("/sign-in")
    portal.follow("Forgot Password")
    portal.page.get_by_label("E-mail").fill(f"{who}@example.test")
    portal.press("Send the link")
    portal.should_be_at("Look at your mail")
    portal.open_link_in_mail(f"{who}@example.test", "new password")
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("New password", exact=True).fill("short")
    portal.press("Save Changes")
    expect(portal.page.locator("#new_password-error")).to_contain_text("Use at least 8 characters.")
    portal.choose_new_password(NEW_PASSWORD)
    portal.open_link_in_mail(f"{who}@example.test", "new password")
    portal.should_be_at("This link no longer works")
    portal.follow("Ask for a new link")
    portal.sign_in(who, NEW_PASSWORD)
    portal.should_be_at(name)


def test_a_new_address_counts_once_its_owner_has_said_so(portal: Portal) -> None:
    old, new = ("bloom", "hana.new") if portal.javascript else ("ben", "ben.new")
    portal.enter(old)
    portal.open("/account/email")
    portal.page.get_by_label("New e-mail address").fill(f"{new}@example.test")
    portal.press("Save Changes")
    portal.should_see(f"{new}@example.test")
    portal.open_link_in_mail(f"{new}@example.test", "Confirm")
    portal.press("Use this address")
    portal.should_be_at("Your address is changed")
    portal.sign_in(old)
    portal.should_see("E-mail or password is wrong.")
    portal.enter(new)
    portal.open_link_in_mail(f"{old}@example.test", "about to change")
    portal.press("Keep my old address and end all sign-ins")
    portal.should_be_at("Your old address stays")
    portal.enter(old)


def test_somebody_is_invited_and_looks_round(portal: Portal) -> None:
    new = "nia.js@example.test" if portal.javascript else "nia@example.test"
    portal.enter("asha")
    portal.open("/account")
    portal.follow("People")
    portal.follow("Invite somebody")
    portal.page.get_by_label("E-mail").fill(new)
    portal.page.get_by_label("Viewer").check()
    portal.press("Send invitation")
    portal.should_see(new)
    portal.should_not_scroll_sideways()
    portal.sign_out()
    portal.open_link_in_mail(new, "invites you")
    portal.should_see("Asha Patel invites you to look after Asha Patel, as Viewer.")
    portal.page.get_by_label("Your name").fill("Nia Newcomer")
    portal.page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    portal.press("Accept")
    portal.should_see("You may now look after Asha Patel.")
    portal.page.get_by_role("link", name="Sign in").click()
    portal.page.get_by_label("E-mail").fill(new)
    portal.page.get_by_label("Password", exact=True).fill(NEW_PASSWORD)
    portal.press("Sign in")
    portal.should_be_at("Nia")
    portal.should_see("Internet - 14 Larch Road")


def test_a_sign_in_elsewhere_is_ended(portal: Portal, page: Page) -> None:
    portal.enter("asha")
    elsewhere = page.context.browser
    assert elsewhere is not None
    other = elsewhere.new_context(base_url=portal.address, java_script_enabled=portal.javascript)
    there = Portal(other.new_page(), portal.address, javascript=portal.javascript)
    there.enter("asha")
    portal.open("/account/sign-ins")
    portal.should_not_scroll_sideways()
    portal.press("End all others")
    portal.should_see("You are signed in nowhere else.")
    there.open("/billing")
    there.should_be_at("Sign in")
    portal.open("/billing")
    portal.should_be_at("Billing")
    other.close()


@WITH_JS
def test_colours_and_clock_are_seen_while_they_are_chosen(portal: Portal, page: Page) -> None:
    portal.enter("asha")
    portal.open("/account/preferences")
    page.get_by_label("Time zone").select_option("Asia/Kolkata")
    expect(page.locator("#account-preferences-example")).to_contain_text(re.compile(r"22 Nov 2026, 17:[3-5]\d"))
    page.get_by_label("Dark").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    portal.press("Save Changes")
    portal.should_be_at("Account")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@WITH_JS
def test_what_was_typed_survives_the_end_of_the_sign_in(portal: Portal, page: Page) -> None:
    portal.enter("asha")
    page.clock.install()
    portal.open("/account/name")
    page.get_by_label("Name", exact=True).fill("Asha the Typist")
    page.clock.fast_forward("28:03")
    expect(page.locator("#session-end")).to_be_visible()
    page.clock.fast_forward("02:06")
    expect(page.locator("#session-end")).not_to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Asha the Typist")


def test_the_name_is_changed_where_it_stands(portal: Portal, page: Page) -> None:
    portal.enter("asha")
    portal.open("/account")
    portal.follow("Edit name")
    field = page.get_by_label("Name", exact=True)
    expect(field).to_be_focused()
    field.fill("")
    portal.press("Save Changes")
    expect(page.locator("#name-error")).to_be_visible()
    assert page.url.endswith("/account") is portal.javascript
    field.fill("Asha the Great")
    portal.press("Save Changes")
    portal.should_be_at("Account")
    portal.should_see("Asha the Great")
    portal.should_not_scroll_sideways()
