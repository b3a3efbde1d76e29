"""Services and usage on a narrow phone: look, download, the SIM, and ending a service and thinking better of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error, expect

from e2e.people import Portal

WITH_SCRIPT = pytest.mark.parametrize("javascript", [True], ids=["js"], indirect=True)
MOBILE = "Mobile - +44 7700 900123"


@pytest.fixture(autouse=True)
def signed_in(portal: Portal) -> None:
    portal.enter("asha")


def test_services_lead_to_details_and_back(portal: Portal) -> None:
    portal.go_to_section("Services")
    portal.should_be_at("Services")
    portal.should_not_scroll_sideways()
    portal.follow(MOBILE)
    portal.should_be_at(MOBILE)
    portal.should_see("Lark 20")
    portal.should_not_scroll_sideways()
    portal.follow("Services")
    portal.should_be_at("Services")


def test_a_setting_is_changed_by_the_network(portal: Portal) -> None:
    setting = "Premium numbers" if portal.javascript else "Calls to other countries"
    portal.go_to_section("Services")
    portal.follow(MOBILE)
    portal.follow("Change Settings")
    portal.should_not_scroll_sideways()
    portal.follow(f"Change {setting}")
    portal.page.get_by_label("Barred").check()
    portal.should_not_scroll_sideways()
    portal.press("Review the change")
    portal.should_see("Afterwards")
    portal.should_not_scroll_sideways()
    portal.press("Change it")
    portal.should_come_to("It is changed")
    portal.follow("Back to the service")
    expect(portal.page.locator("dl div").filter(has_text=setting)).to_contain_text("Barred")


def test_usage_says_what_is_left_and_where_it_went(portal: Portal) -> None:
    portal.go_to_section("Usage")
    portal.follow(f"View Usage {MOBILE}")
    portal.should_be_at("Usage of")
    portal.should_see("left of 28 GB")
    portal.should_see("used 1st")
    portal.should_not_scroll_sideways()
    portal.follow("Voice")
    expect(portal.part("usage-history").get_by_role("link", name="Voice", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    portal.follow("Months")
    expect(portal.part("usage-chart").or_(portal.page.locator("figure")).first).to_be_visible()
    portal.follow("Where did it go?")
    portal.should_be_at("Where did it go?")
    portal.should_not_scroll_sideways()


def test_use_abroad_is_told_by_country(portal: Portal) -> None:
    portal.go_to_section("Usage")
    portal.follow(f"View Usage {MOBILE}")
    portal.follow("Abroad")
    portal.should_be_at("Abroad")
    portal.should_see("France")
    portal.should_not_scroll_sideways()


def test_records_are_filtered_and_downloaded(portal: Portal) -> None:
    portal.go_to_section("Usage")
    portal.follow(f"View Usage {MOBILE}")
    portal.follow("Calls, texts and data")
    portal.should_be_at("Calls, texts and data")
    portal.page.get_by_label("Kind").select_option("call")
    portal.press("Show")
    portal.page.wait_for_url("**kind=call**")
    portal.should_not_scroll_sideways()
    with portal.page.expect_download() as started:
        portal.follow("Download as CSV")
    path = started.value.path()
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) > 100
    assert all(",call," in line for line in lines[1:20])


def test_the_puk_is_shown_and_hidden(portal: Portal) -> None:
    portal.go_to_section("Services")
    portal.follow(MOBILE)
    portal.follow("SIM and eSIM")
    portal.should_be_at("SIM and eSIM")
    portal.follow("Show PIN and PUK")
    portal.press("Show them")
    portal.should_see("PIN it came with")
    portal.should_not_scroll_sideways()
    portal.follow("Hide them now")
    portal.should_be_at("SIM and eSIM")
    expect(portal.page.get_by_text("PIN it came with")).to_have_count(0)


def test_the_esim_is_a_picture_and_text(portal: Portal) -> None:
    portal.go_to_section("Services")
    portal.follow(MOBILE)
    portal.follow("SIM and eSIM")
    portal.follow("Install the eSIM")
    portal.press("Show the code")
    expect(portal.page.get_by_role("img", name="QR code with the eSIM")).to_be_visible()
    portal.should_see("LPA:1$rsp.lark.example$")
    portal.should_not_scroll_sideways()


@WITH_SCRIPT
def test_back_does_not_bring_a_code_back(portal: Portal) -> None:
    portal.go_to_section("Services")
    portal.follow(MOBILE)
    portal.follow("SIM and eSIM")
    portal.follow("Show PIN and PUK")
    portal.press("Show them")
    portal.should_see("PIN it came with")
    portal.follow("Hide them now")
    portal.should_be_at("SIM and eSIM")
    # The browser has nothing to show: it would have to send the form again.
    with pytest.raises(Error, match="ERR_CACHE_MISS"):
        portal.page.go_back()
    expect(portal.page.get_by_text("PIN it came with")).to_have_count(0)


def test_ending_a_service_and_thinking_better_of_it(portal: Portal) -> None:
    portal.go_to_section("Services")
    portal.follow(MOBILE)
    portal.follow("Cancel Service")
    portal.should_be_at("Cancel Service")
    portal.page.get_by_text("At the end of the period", exact=True).click()
    portal.press("Continue")
    portal.should_see("Until then you can undo it")
    portal.should_not_scroll_sideways()
    portal.press("Cancel at the end")
    portal.should_see("This service is going to end on")
    portal.follow("Keep the service")
    portal.press("Keep the service")
    portal.should_be_at(MOBILE)
    expect(portal.page.get_by_text("This service is going to end on")).to_have_count(0)


def test_help_is_found_by_words(portal: Portal) -> None:
    portal.open("/help")
    asked, title = ("puk", "The phone asks for a PUK") if portal.javascript else ("qr code", "Installing an eSIM")
    portal.page.get_by_label("What do you want to know?").fill(asked)
    portal.press("Search")
    portal.follow(title)
    portal.press("Yes")
    portal.should_see("Thank you for telling us")
    portal.should_not_scroll_sideways()
