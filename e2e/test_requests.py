"""Asking what needs a person, a copy of one's data, and being forgotten."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from e2e.people import Portal


def test_asha_asks_eli_asks_back_and_decides_and_asha_reads_it(portal: Portal) -> None:
    portal.enter("asha")
    portal.go_to_section("Account")
    portal.follow("Requests")
    portal.should_be_at("Requests")
    portal.follow("New request")
    portal.follow("Something else")
    portal.press("Send request")
    portal.should_see("There is a problem")
    portal.page.get_by_label("What can we do?").fill("Please send me a paper copy of my contract.")
    portal.press("Send request")
    portal.should_see("We are looking at it")
    portal.should_see("a paper copy of my contract")
    portal.should_not_scroll_sideways()
    portal.page.wait_for_url(re.compile("/[0-9a-f-]{36}$"))
    request = portal.page.url
    portal.sign_out()

    portal.enter("eli")
    portal.open(f"/staff/requests/{request.rpartition('/')[2]}")
    portal.should_see("Asha Patel asked")
    portal.should_not_scroll_sideways()
    portal.page.get_by_label("What the customer reads").fill("To which address?")
    portal.page.get_by_label("We wait for the customer's answer").check()
    portal.press("Send answer")
    portal.should_see("To which address?")
    portal.sign_out()

    portal.enter("asha")
    portal.open(request)
    portal.should_see("We need an answer from you")
    portal.should_see("Eli from support")
    portal.page.get_by_label("Your reply").fill("To 14 Larch Road, please.")
    portal.press("Send reply")
    portal.should_see("We are looking at it")
    portal.sign_out()

    portal.enter("eli")
    portal.open("/staff/requests")
    portal.should_see("Something else")
    portal.open(f"/staff/requests/{request.rpartition('/')[2]}")
    portal.page.get_by_label("What the customer reads").fill("It is in the post.")
    portal.page.get_by_label("It is done").check()
    portal.press("Send answer")
    portal.should_see("This request is closed.")
    portal.sign_out()

    portal.enter("asha")
    portal.open(request)
    portal.should_see("It is in the post.")
    portal.should_see("This request is closed.")
    expect(portal.page.get_by_role("button", name="Send reply")).to_have_count(0)


def test_a_line_of_a_bill_is_questioned_where_it_stands(portal: Portal) -> None:
    portal.enter("bloom")
    portal.open("/billing/invoices?status=paid")
    portal.page.get_by_role("rowheader").get_by_role("link").nth(1).click()
    portal.should_be_at("Bill INV-")
    bill = portal.page.url
    portal.page.get_by_role("rowheader").get_by_role("link").first.click()
    portal.follow("Ask about this line")
    portal.should_be_at("Ask about a line of a bill")
    portal.follow("Dispute it instead")
    portal.should_be_at("Dispute a bill")
    portal.page.get_by_role("textbox").fill("We never ordered this one.")
    portal.press("Send request")
    portal.should_see("We are looking at it")
    portal.open(bill)
    portal.should_see("In question")
    portal.should_not_scroll_sideways()
    portal.page.get_by_role("rowheader").filter(has_text="In question").last.get_by_role("link").click()
    portal.follow("See your request")
    portal.press("Withdraw request")
    portal.should_see("Withdrawn")


def test_a_copy_of_the_data_is_asked_for_and_downloaded(portal: Portal) -> None:
    portal.enter("ben" if portal.javascript else "chidi")
    portal.go_to_section("Account")
    portal.follow("A copy of your data")
    portal.press("Ask for a copy")
    portal.should_come_to("Download your data", by_itself=False)
    portal.should_not_scroll_sideways()
    with portal.page.expect_download() as download:
        portal.follow("Download your data")
    assert download.value.suggested_filename == "my-data.zip"


def test_being_forgotten_is_asked_for_and_taken_back_by_mail(portal: Portal) -> None:
    # One each: there is a mail of the first journey already.
    who = "empty" if portal.javascript else "gwen"
    portal.enter(who)
    portal.open("/account/erasure")
    portal.should_see("What must stay, and why")
    portal.should_not_scroll_sideways()
    portal.press("Erase my data in 14 days")
    portal.should_see("Your data will be erased on")
    portal.sign_out()
    portal.open_link_in_mail(f"{who}@example.test", "erased in 14 days")
    portal.should_be_at("Keep your data?")
    portal.press("Keep my data")
    portal.should_see("Nothing is erased")
