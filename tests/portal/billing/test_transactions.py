"""Every charge, credit and payment: signed, filtered, added up, as a file."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from tests.support.browser import Browser

SUMS = Prepared.sql(
    """
    SELECT CASE WHEN t.invoice_id IS NULL THEN 0 ELSE 1 END AS invoiced, t.amount_minor + t.tax_minor AS gross,
           t.voided_at AS voided_at, t.at AS at, i.state AS state, i.kind AS bill
      FROM billing_transaction t LEFT JOIN invoice i ON i.id = t.invoice_id WHERE t.customer_id = :customer_id
    """
)


async def rows(home: people.Household) -> list[dict[str, object]]:
    return await fetch(SUMS.bind(customer_id=home.id))


async def counting() -> list[dict[str, object]]:
    """Bloom's lines but for those that were cancelled, of a bill that is void, and of an offer."""
    found = [row for row in await rows(people.BLOOM) if row["voided_at"] is None and row["state"] != "void"]
    return [row for row in found if row["bill"] != "proforma"]


def pounds(minor: int) -> str:
    sign = "−" if minor < 0 else ""
    return f"{sign}£{abs(minor) // 100:,}.{abs(minor) % 100:02}"


async def test_the_totals_are_the_sums_of_what_is_neither_cancelled_nor_an_offer(bloom: Browser) -> None:
    found = await counting()
    page = await bloom.open("/billing/transactions")
    told = {dt.text_content(): dt.getnext().text_content().strip() for dt in page.html.xpath("//dl//dt")}
    assert told["All"] == pounds(sum(int(str(row["gross"])) for row in found))
    assert told["Not on a bill yet"] == pounds(sum(int(str(row["gross"])) for row in found if not row["invoiced"]))


async def test_what_is_cancelled_is_struck_and_says_so(bloom: Browser) -> None:
    page = await bloom.open("/billing/transactions?invoiced=no")
    struck = [row for row in page.html.xpath("//tbody/tr") if row.xpath(".//s")]
    assert len(struck) == len([row for row in await rows(people.BLOOM) if row["voided_at"]]) > 0
    assert all("Cancelled" in row.text_content() for row in struck)


async def test_all_pages_together_hold_every_line_once(bloom: Browser) -> None:
    seen: list[str] = []
    path = "/billing/transactions"
    while path:
        page = await bloom.open(path)
        seen += page.html.xpath("//tbody/tr/@id")
        path = next(iter(page.html.xpath("//a[@rel='next']/@href")), "")
    assert len(seen) == len(set(seen)) == len(await rows(people.BLOOM))


@pytest.mark.parametrize("only", ["charge", "credit", "payment"])
async def test_a_kind_alone(asha: Browser, only: str) -> None:
    page = await asha.open(f"/billing/transactions?kind={only}")
    signs = {cell.text_content().strip()[0] for cell in page.html.xpath("//tbody/tr/td[last()]")}
    assert signs == {"+" if only == "charge" else "−"}


async def test_days_are_the_customers_and_both_included(asha: Browser) -> None:
    page = await asha.open("/billing/transactions?first=2026-11-16&last=2026-11-16")
    days = {cell.text_content().strip() for cell in page.html.xpath("//tbody//time")}
    assert days == {"16 Nov 2026"}


async def test_days_that_cannot_be_are_said(asha: Browser) -> None:
    page = await asha.open("/billing/transactions?first=2026-11-16&last=2026-11-01")
    assert page.status == 422
    assert "on or after the first" in page.error("last")


async def test_the_file_holds_everything_and_adds_up(bloom: Browser) -> None:
    page = await bloom.open("/billing/transactions.csv")
    lines = list(csv.DictReader(io.StringIO(page.answer.content.decode("utf-8-sig"))))
    assert len(lines) == len(await rows(people.BLOOM))
    counted = sum(Decimal(line["Amount"]) for line in lines if line["Status"] not in ("Cancelled", "Pro-forma"))
    assert counted == Decimal(sum(int(str(row["gross"])) for row in await counting())) / 100
    assert f"you owed £{counted}" in (await bloom.open("/billing/statement")).text


async def test_another_customers_lines_are_nowhere(asha: Browser) -> None:
    text = (await asha.open("/billing/transactions")).text
    assert "World Roaming, 7 days" not in text
    assert "World Roaming" not in (await asha.open("/billing/transactions.csv")).answer.text


async def test_who_may_not_see_bills_sees_no_transactions(femi: Browser) -> None:
    assert (await femi.open("/billing/transactions")).status == 404


async def test_a_new_customer_is_told_why_it_is_empty(empty: Browser) -> None:
    assert "Every charge, credit and payment will stand here." in (await empty.open("/billing/transactions")).text
