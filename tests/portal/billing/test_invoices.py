"""Bills to read: the list, its filters, one bill explained."""

from __future__ import annotations

import re
from datetime import date

import pytest

from selfcare.db.counting import counting
from selfcare.demo import people
from selfcare.kernel.money import parse_amount
from selfcare.portal.billing.invoices import Bill, Label, label_of
from tests.pages import places
from tests.support.browser import Browser


async def test_the_list_shows_number_dates_amount_and_status(asha: Browser) -> None:
    page = await asha.open("/billing/invoices")
    heads = [" ".join(one.text_content().split()) for one in page.html.xpath("//thead//th")]
    for wanted in ("Invoice Number", "Date", "Due Date", "Amount", "Status"):
        assert wanted in heads
    assert "Overdue" in page.text
    assert "Paid" in page.text


@pytest.mark.parametrize(("status", "shown", "hidden"), [("paid", "Paid", "Overdue"), ("overdue", "Overdue", "Paid")])
async def test_the_status_filter_keeps_only_that_status(asha: Browser, status: str, shown: str, hidden: str) -> None:
    page = await asha.open(f"/billing/invoices?status={status}")
    rows = [row.text_content() for row in page.html.xpath("//tbody/tr")]
    assert rows
    assert all(shown in row and hidden not in row for row in rows)


async def test_an_empty_filter_offers_to_clear_it(asha: Browser) -> None:
    page = await asha.open("/billing/invoices?status=void&year=2026")
    assert "No bills match" in page.text
    assert page.has_link("/billing/invoices")


async def test_thirty_nine_papers_are_two_pages(bloom: Browser) -> None:
    first = await bloom.open("/billing/invoices")
    second = await bloom.open("/billing/invoices?page=2")
    numbers = {page.path: set(re.findall(r"(?:INV|CN|PF)-\d{4}-\d{6}", page.text)) for page in (first, second)}
    assert [len(found) for found in numbers.values()] == [25, 14]
    assert "39 bills" in first.text
    # Each can be downloaded from here, and those that are open paid.
    assert len(first.html.xpath("//tbody//a[@download]")) == 25
    assert len(first.html.xpath("//tbody//a[starts-with(@href, '/pay?bill=')]")) == 3


async def test_the_filter_is_a_fragment_for_htmx(bloom: Browser) -> None:
    part = await bloom.open("/billing/invoices?status=paid", htmx=True)
    assert part.by_id("billing-invoices") is not None
    assert not part.html.xpath("//h1")


async def test_a_bill_adds_up_on_the_page(bloom: Browser) -> None:
    for invoice_id in (await places.own_ids("bloom"))["invoice_id"]:
        page = await bloom.open(f"/billing/invoices/{invoice_id}")
        facts = {
            " ".join(one.xpath("string(dt)").split()): one.xpath("string(dd)").strip()
            for one in page.html.xpath("//section[@aria-labelledby='sum-heading']//dl/div")
        }
        tax = sum(pounds(value) for name, value in facts.items() if name.startswith("Tax"))
        assert pounds(facts["All lines before tax"]) + tax == pounds(facts["Total"])


async def test_a_new_customer_is_told_when_bills_come(empty: Browser) -> None:
    assert "No bills yet" in (await empty.open("/billing/invoices")).text


async def test_somebody_without_the_right_finds_no_bills(femi: Browser) -> None:
    for path in ("/billing", "/billing/invoices"):
        assert (await femi.open(path)).status == 404


async def test_a_strangers_bill_is_not_found(chidi: Browser) -> None:
    for invoice_id in (await places.own_ids("asha"))["invoice_id"]:
        assert (await chidi.open(f"/billing/invoices/{invoice_id}")).status == 404


@pytest.mark.parametrize("key", ["bloom/void", "bloom/proforma"])
async def test_nobody_is_asked_to_question_what_is_no_bill(bloom: Browser, key: str) -> None:
    bill = await bloom.open(f"/billing/invoices/{people.fixed(f'invoice/{key}')}")
    line = await bloom.open(bill.one("//main//a[contains(@href, '/lines/')]").get("href"))
    assert line.status == 200
    assert not line.has_link("/account/requests")


async def test_the_number_of_statements_does_not_grow(asha: Browser, bloom: Browser) -> None:
    assert people.BLOOM.id != people.PATEL.id
    counts = []
    for browser in (asha, bloom):
        with counting() as count:
            await browser.open("/billing/invoices")
        counts.append(count.total)
    assert counts[0] == counts[1] <= 6


def pounds(text: str) -> int:
    """£1,234.50 in pence."""
    found = re.search(r"−?£([\d,]+\.\d\d)", text)
    assert found, text
    return parse_amount(found[1].replace(",", ""), "GBP").minor


async def test_a_credit_note_and_its_bill_lead_to_each_other(bloom: Browser) -> None:
    pages = [await bloom.open(f"/billing/invoices?page={number}") for number in (1, 2)]
    path = next(str(href) for page in pages for href in page.html.xpath("//a[starts-with(., 'CN-')]/@href"))
    note = await bloom.open(path)
    assert "nothing to pay" in note.text
    assert not note.html.xpath("//a[starts-with(., 'Pay ')]")
    bill = await bloom.open(str(note.one("//p[contains(., 'It corrects')]/a/@href")))
    assert bill.has_link(path)
    assert "−£12.00" in bill.text


async def test_a_pro_forma_may_be_paid_early_and_is_never_overdue(bloom: Browser) -> None:
    page = await bloom.open("/billing")
    offer = await bloom.open(str(page.one("//ul//a[contains(., 'PF-')]/@href")))
    assert "you owe nothing" in offer.text
    assert offer.html.xpath("//a[starts-with(., 'Pay ')]")
    old = {"currency": "GBP", "net_minor": 100, "tax_minor": 20, "paid_minor": 0, "due_on": date(2020, 1, 1)}
    assert label_of(Bill(**old, kind="proforma"), date(2026, 11, 22)) is Label.PROFORMA  # type: ignore[arg-type]
    assert label_of(Bill(**old), date(2026, 11, 22)) is Label.OVERDUE  # type: ignore[arg-type]
