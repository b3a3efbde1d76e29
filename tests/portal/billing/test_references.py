"""A business's own reference: on one bill, on all without one, on the paper, and nobody else's business."""

from __future__ import annotations

import io

import pypdf
import pytest

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.demo import people
from tests.support.browser import Browser, Page

PLAIN = Prepared.sql(
    "SELECT id, number FROM invoice WHERE customer_id = :customer_id AND state = 'settled' ORDER BY date LIMIT 1"
)
CLEAR = Prepared.sql("UPDATE invoice SET purchase_ref = NULL WHERE id = :id")


async def bill(customer: people.Household = people.BLOOM) -> str:
    row = await fetch_one(PLAIN.bind(customer_id=customer.id))
    assert row is not None
    async with transaction():
        await execute(CLEAR.bind(id=row["id"]))
    return f"/billing/invoices/{row['id']}"


async def put(browser: Browser, path: str, words: str) -> Page:
    return await (await browser.open(path)).submit("reference-form", reference=words)


async def test_one_bill_carries_its_own_on_the_page_and_on_paper(bloom: Browser) -> None:
    path = await bill()
    shown = await put(bloom, f"{path}/reference", "  PO   7311 ")
    assert shown.path == path
    assert "PO 7311" in shown.text
    paper = pypdf.PdfReader(io.BytesIO((await bloom.open(f"{path}/pdf")).answer.content))
    assert "PO 7311" in paper.pages[0].extract_text()


async def test_the_usual_one_stands_where_a_bill_has_none(bloom: Browser) -> None:
    path = await bill()
    await put(bloom, "/billing/reference", "Cost centre 12")
    assert "Cost centre 12" in (await bloom.open(path)).text
    await put(bloom, f"{path}/reference", "PO 9")
    assert "Cost centre 12" not in (await bloom.open(path)).text
    await put(bloom, f"{path}/reference", "")
    assert "Cost centre 12" in (await bloom.open(path)).text
    assert "Your reference on bills was changed" in (await bloom.open("/activity")).text


async def test_taking_the_usual_one_away_leaves_none(bloom: Browser) -> None:
    path = await bill()
    await put(bloom, "/billing/reference", "Cost centre 12")
    await put(bloom, "/billing/reference", "")
    assert "Your reference" not in (await bloom.open(path)).text.replace("Add your reference", "")


@pytest.mark.parametrize("words", ["x" * 61, "a\x07b"])
async def test_what_cannot_be_printed_is_refused_and_kept(bloom: Browser, words: str) -> None:
    page = await put(bloom, f"{await bill()}/reference", words)
    assert page.status == 422
    assert "at most 60" in page.error("reference")


async def test_only_a_business_has_such_references_and_only_its_own(asha: Browser, bloom: Browser) -> None:
    mine = await bill(people.PATEL)
    for path in ("/billing/reference", f"{mine}/reference"):
        assert (await asha.open(path)).status == 404
        assert (await asha.post(path, {"csrf": await asha.csrf(), "reference": "PO 1"})).status == 404
    assert (await bloom.open(f"{mine}/reference")).status == 404
    forced = await bloom.post(f"{mine}/reference", {"csrf": await bloom.csrf(), "reference": "PO 1"})
    assert forced.status == 404


async def test_who_only_reads_bills_is_offered_no_reference(app: Application, femi: Browser, asha: Browser) -> None:
    for browser in (femi, asha):
        page = await browser.open("/billing")
        assert "Your reference on bills" not in page.text


async def test_billing_says_whether_bills_are_paid_by_themselves(asha: Browser) -> None:
    page = await asha.open("/billing")
    (tag,) = page.html.xpath("//a[normalize-space()='Automatic payment']/following-sibling::span[1]")
    assert tag.text_content() == "Off"
