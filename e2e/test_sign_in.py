"""Getting in, looking round, getting out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from e2e.people import Portal


def test_asha_signs_in_looks_round_and_signs_out(portal: Portal) -> None:
    portal.sign_in("asha")
    portal.should_be_at("Asha")
    for section, heading in [
        ("Services", "Services"),
        ("Usage", "Usage"),
        ("Billing", "Billing"),
        ("Top-Up", "Top-Up"),
        ("Account", "Account"),
        ("Dashboard", "Asha"),
    ]:
        portal.go_to_section(section)
        portal.should_be_at(heading)
        portal.should_not_scroll_sideways()
    portal.sign_out()
    portal.open("/billing")
    portal.should_be_at("Sign in")


def test_a_wrong_password_says_so_beside_the_field_and_keeps_the_address(portal: Portal) -> None:
    portal.sign_in("asha", "Wrong-Pass-1!")
    expect(portal.page.locator("#password-error")).to_contain_text("E-mail or password is wrong.")
    expect(portal.page.get_by_label("E-mail")).to_have_value("asha@example.test")
    expect(portal.page.get_by_label("Password", exact=True)).to_have_value("")


def test_back_after_signing_out_shows_nothing_private(portal: Portal) -> None:
    portal.sign_in("asha")
    portal.go_to_section("Billing")
    portal.should_be_at("Billing")
    portal.sign_out()
    portal.page.go_back()
    portal.should_be_at("Sign in")


@pytest.mark.parametrize("javascript", [True], ids=["js"], indirect=True)
def test_the_form_is_swapped_in_place_when_there_is_javascript(portal: Portal) -> None:
    portal.open("/sign-in")
    loads: list[str] = []
    portal.page.on("load", lambda page: loads.append(page.url))
    portal.page.get_by_label("E-mail").fill("asha@example.test")
    portal.page.get_by_label("Password", exact=True).fill("Wrong-Pass-1!")
    portal.press("Sign in")
    expect(portal.page.locator("#password-error")).to_be_visible()
    assert loads == []
