"""The second step: an authenticator app with and without JavaScript, a lost phone, and passkeys."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pyotp
import pytest
from playwright.sync_api import Locator, expect

from e2e.people import Portal
from e2e.servers import serving
from tests.support import ports

WITH_SCRIPT = pytest.mark.parametrize("javascript", [True], ids=["js"], indirect=True)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Under a name, because passkeys do not work under a bare address; at the real time, as are the codes."""
    port = ports.free()
    with serving(tmp_path_factory.mktemp("demo"), port=port, public_url=f"http://localhost:{port}") as address:
        yield address


def enter(portal: Portal, who: str, name: str) -> None:
    portal.sign_in(who)
    portal.should_be_at(name)


def code_field(portal: Portal) -> Locator:
    return portal.page.get_by_role("textbox", name="Code", exact=True)


def set_up_app(portal: Portal) -> tuple[pyotp.TOTP, int, list[str]]:
    """The app, when its first code was typed, and the backup codes."""
    portal.open("/account/security/app")
    portal.should_be_at("Set up the second step")
    app = pyotp.TOTP("".join(portal.page.locator("#account-security-app bdi").inner_text().split()))
    at = int(time.time())
    code_field(portal).fill(app.at(at))
    portal.press("Turn on")
    portal.should_see("Keep these ten codes in a safe place.")
    shown = portal.page.locator("ul.codes code")
    expect(shown).to_have_count(10)
    codes = shown.all_inner_texts()
    assert len(set(codes)) == 10
    portal.follow("I have saved them")
    portal.should_be_at("Security")
    return app, at, codes


def add_device(portal: Portal) -> None:
    """A phone with a fingerprint reader, played by the browser."""
    cdp = portal.page.context.new_cdp_session(portal.page)
    cdp.send("WebAuthn.enable")
    cdp.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )


def add_passkey(portal: Portal, name: str) -> None:
    portal.open("/account/security")
    portal.follow("Add a passkey")
    portal.page.get_by_label("Name", exact=True).fill(name)
    portal.press("Add the passkey")
    portal.should_see("Keep these ten codes in a safe place.")
    portal.follow("I have saved them")
    portal.should_see(name)


def test_an_app_is_set_up_and_asked_for(portal: Portal) -> None:
    who = "asha" if portal.javascript else "ben"
    enter(portal, who, who.title())
    app, at, _ = set_up_app(portal)
    portal.sign_out()
    portal.sign_in(who)
    portal.should_be_at("Enter your code")
    code_field(portal).fill(app.at(at))
    portal.press("Sign in")
    expect(portal.page.locator("#code-error")).to_contain_text("wrong or already used")
    # The next code, or a later one where that much time has gone by.
    code_field(portal).fill(app.at(max(at + 30, int(time.time()))))
    portal.press("Sign in")
    portal.should_be_at(who.title())


def test_with_the_phone_lost_a_backup_code_opens_once(portal: Portal) -> None:
    who, name = ("chidi", "Chidi") if portal.javascript else ("empty", "Emma")
    enter(portal, who, name)
    _, _, codes = set_up_app(portal)
    for opens in (True, False):
        portal.sign_out()
        portal.sign_in(who)
        portal.follow("Use a backup code")
        portal.page.get_by_label("Backup code").fill(codes[0].lower())
        portal.press("Sign in")
        if opens:
            portal.should_be_at(name)
            portal.open("/account/security")
            portal.should_see("9 backup codes left")
        else:
            portal.should_see("wrong or already used")


@WITH_SCRIPT
def test_a_passkey_opens_without_a_password(portal: Portal) -> None:
    add_device(portal)
    enter(portal, "bloom", "Hana")
    add_passkey(portal, "My phone")
    portal.sign_out()
    portal.follow("Sign in with a passkey")
    portal.should_be_at("Hana")
    portal.open("/account/security")
    portal.should_see("My phone")
    portal.should_not_scroll_sideways()


@WITH_SCRIPT
def test_a_passkey_is_the_second_step_and_can_be_named_and_removed(portal: Portal) -> None:
    add_device(portal)
    enter(portal, "gwen", "Gwen")
    add_passkey(portal, "Old tablet")
    portal.sign_out()
    portal.sign_in("gwen")
    portal.should_be_at("Use your passkey")
    portal.press("Use a passkey")
    portal.should_be_at("Gwen")
    portal.open("/account/security")
    portal.follow("Old tablet")
    portal.page.get_by_label("Name", exact=True).fill("Kitchen tablet")
    portal.press("Save Changes")
    portal.follow("Kitchen tablet")
    portal.press("Remove this passkey")
    portal.should_be_at("Security")
    expect(portal.page.get_by_text("Kitchen tablet")).to_have_count(0)


@WITH_SCRIPT
def test_without_a_passkey_the_page_says_so_and_the_password_remains(portal: Portal) -> None:
    add_device(portal)
    portal.open("/sign-in")
    portal.follow("Sign in with a passkey")
    portal.should_see("The passkey was not used.")
    portal.follow("Sign in with your password")
    portal.should_be_at("Sign in")


@pytest.mark.parametrize("javascript", [False], ids=["no-js"], indirect=True)
def test_without_script_no_passkey_is_offered(portal: Portal) -> None:
    portal.open("/sign-in")
    expect(portal.page.get_by_text("Sign in with a passkey")).to_be_hidden()
    portal.open("/sign-in/passkey")
    portal.should_see("This browser cannot use passkeys here.")
