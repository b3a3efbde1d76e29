"""Bills in a real browser, with and without JavaScript, on a narrow phone: on paper, compared, many at once."""

from __future__ import annotations

from pathlib import Path
from zipfile import ZipFile

from playwright.sync_api import expect

from e2e.people import Portal


def billing(portal: Portal, who: str) -> None:
    portal.enter(who)
    portal.go_to_section("Billing")
    portal.should_be_at("Billing")


def test_a_bill_is_downloaded_and_compared_with_the_last(portal: Portal) -> None:
    billing(portal, "asha")
    portal.page.get_by_role("link", name="Bill INV-").first.click()
    portal.should_be_at("Bill INV-")
    with portal.page.expect_download() as coming:
        portal.follow("Download PDF")
    assert coming.value.suggested_filename.startswith("INV-")
    assert Path(coming.value.path()).read_bytes().startswith(b"%PDF")
    portal.follow("Why is it different from last month?")
    portal.should_be_at("is different")
    portal.should_not_scroll_sideways()


def test_a_year_of_bills_comes_as_one_file(portal: Portal) -> None:
    billing(portal, "bloom")
    portal.follow("All bills")
    portal.follow("Download many as PDF")
    portal.page.get_by_label("From").fill("2026-01-01")
    with portal.page.expect_download() as coming:
        portal.press("Put them in one file")
    with ZipFile(coming.value.path()) as file:
        assert file.testzip() is None
        assert sum(name.endswith(".pdf") for name in file.namelist()) >= 10
    portal.should_not_scroll_sideways()


def test_the_bills_that_are_ticked_are_paid_together(portal: Portal) -> None:
    billing(portal, "asha")
    boxes = portal.page.get_by_role("checkbox")
    expect(boxes.nth(1)).to_be_visible()
    many = boxes.count()
    for box in boxes.all():
        box.set_checked(True)
    portal.press("Pay the ticked bills")
    portal.should_be_at("Pay ")
    expect(portal.page.locator("#pay input[name=bill]")).to_have_count(many)
    portal.should_not_scroll_sideways()
