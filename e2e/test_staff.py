"""Support at work: three customers in three tabs, and the customer's view of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from e2e.people import Portal, too_wide

REASON = "Cannot find the last bill"


@pytest.fixture
def customer(
    browser: Browser, browser_context_args: dict[str, object], server: str, javascript: bool
) -> Iterator[Portal]:
    """A second person at a browser of their own."""
    context = browser.new_context(**browser_context_args)  # type: ignore[arg-type]
    yield Portal(context.new_page(), server, javascript=javascript)
    context.close()


def login_as(portal: Portal, typed: str, name: str) -> Page:
    """From the console: Customers → the customer → Contacts → Login as User; the new tab."""
    portal.open("/staff")
    portal.page.get_by_label("Find a customer").fill(typed)
    portal.press("Find")
    portal.page.locator("tbody th a").first.click()
    portal.page.get_by_role("navigation", name="About this customer").get_by_role("link", name="Contacts").click()
    portal.page.get_by_role("link", name=f"Login as User {name}").click()
    portal.page.get_by_label("Reason").fill(REASON)
    with portal.page.context.expect_page() as opened:
        portal.press("Login as User")
    tab = opened.value
    expect(tab.locator(".acting")).to_contain_text(name)
    return tab


def test_three_customers_in_three_tabs_stop_in_one_and_the_others_live(portal: Portal) -> None:
    portal.enter("dina")
    tabs = {
        "Asha Patel": login_as(portal, "100201", "Asha Patel"),
        "Chidi Okoro": login_as(portal, "okoro", "Chidi Okoro"),
        "Hana Bloom": login_as(portal, "bloom@example.test", "Hana Bloom"),
    }
    for name, tab in tabs.items():
        tab.get_by_role("navigation", name="Sections").get_by_role("link", name="Account", exact=True).click()
        expect(tab.get_by_role("heading", level=1)).to_contain_text("Account")
        expect(tab.locator(".acting")).to_contain_text(name)
        assert "/as/" in tab.url
        assert too_wide(tab) <= 0
    stopped = tabs.pop("Chidi Okoro")
    stopped.get_by_role("button", name="Stop").click()
    expect(stopped.get_by_role("heading", level=1)).to_have_text("The visit is over")
    stopped.go_back()
    expect(stopped.get_by_role("heading", level=1)).to_have_text("This support visit is over")
    expect(stopped.get_by_text("Chidi Okoro")).to_have_count(0)
    for name, tab in tabs.items():
        tab.get_by_role("navigation", name="Sections").get_by_role("link", name="Billing", exact=True).click()
        expect(tab.get_by_role("heading", level=1)).to_contain_text("Billing")
        expect(tab.locator(".acting")).to_contain_text(name)
    portal.open("/staff")
    portal.should_see("Your open visits")
    portal.should_not_scroll_sideways()


def test_the_customer_sees_the_visit_while_it_lasts_and_ends_it(portal: Portal, customer: Portal) -> None:
    portal.enter("dina")
    tab = login_as(portal, "100202", "Chidi Okoro")
    tab.get_by_role("navigation", name="Sections").get_by_role("link", name="Billing", exact=True).click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Billing")
    customer.enter("chidi")
    customer.open("/activity")
    customer.should_see(f"Support opened your account. Reason: {REASON}")
    customer.should_see("Support looked at your bills")
    customer.should_see("Dina from support can see your account")
    customer.follow("See and end it")
    customer.should_not_scroll_sideways()
    customer.press("End it now")
    customer.should_see("Nobody of support is looking at your account.")
    tab.reload()
    expect(tab.get_by_role("heading", level=1)).to_have_text("This support visit is over")
    expect(tab.get_by_text("The customer ended it.")).to_be_visible()


def test_what_only_the_customer_may_do_is_refused_in_words(portal: Portal) -> None:
    portal.enter("dina")
    tab = login_as(portal, "100201", "Asha Patel")
    tab.goto(tab.url.rstrip("/") + "/account/password")
    expect(tab.get_by_text("Only the customer can do this.")).to_be_visible()
    # A refusal is an answer, not a complaint.
    portal.complaints.clear()


def test_a_code_from_the_help_page_is_consent(portal: Portal, customer: Portal) -> None:
    customer.enter("bloom")
    customer.open("/activity/support")
    customer.page.get_by_label("No", exact=False).last.check()
    customer.press("Save")
    customer.open("/help/support-code")
    customer.press("Show my support code")
    customer.should_see("works once, until")
    code = customer.page.locator(".figure bdi").inner_text()
    portal.enter("dina")
    portal.open("/staff/customers?q=200100")
    portal.page.locator("tbody th a").first.click()
    portal.page.get_by_role("navigation", name="About this customer").get_by_role("link", name="Contacts").click()
    portal.page.get_by_role("link", name="Login as User Hana Bloom").click()
    portal.page.get_by_label("Reason").fill(REASON)
    portal.page.get_by_label("Support code").fill(code)
    with portal.page.context.expect_page() as opened:
        portal.press("Login as User")
    expect(opened.value.locator(".acting")).to_contain_text("Hana Bloom")
