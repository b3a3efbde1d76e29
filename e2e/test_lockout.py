"""Five wrong passwords, and the way back in. In a file of its own: it turns the clock."""

from __future__ import annotations

from playwright.sync_api import expect

from e2e.people import Portal

NEW_PASSWORD = "Brand-New-77!"


def test_after_five_wrong_passwords_the_way_back_is_in_the_mail(portal: Portal) -> None:
    who, name = ("gwen", "Gwen") if portal.javascript else ("femi", "Femi")
    # The failures of the run before count for this address too.
    portal.open("/demo")
    portal.press("+ 1 hour")
    for _ in range(5):
        portal.sign_in(who, "Wrong-Pass-1!")
        expect(portal.page.locator(".summary")).to_be_visible()
    portal.should_see("Locked for 30 minutes.")
    portal.sign_in(who)
    portal.should_see("Locked for")
    portal.open_link_in_mail(f"{who}@example.test", "new password")
    assert "token" not in portal.page.url
    portal.choose_new_password(NEW_PASSWORD)
    portal.sign_in(who)
    portal.should_see("E-mail or password is wrong.")
    portal.sign_in(who, NEW_PASSWORD)
    portal.should_be_at(name)
