"""Bills in money without pence or with thousandths, and cancelled ones: shown, on paper, typed and paid."""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

import pypdf
import pytest

from selfcare.app import Application
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from tests.pages import places
from tests.support import money
from tests.support.browser import Browser
from tests.support.money import Purse

RENAME = Prepared.sql("UPDATE customer SET name = :name WHERE id = :id")
PAID = Prepared.sql("SELECT state, amount_minor, currency FROM payment WHERE customer_id = :id")
LONG = "Wolfeschlegelsteinhausenbergerdorff-" * 4 + "Ltd"
ALPHABETS = ("شركة القبرة للاتصالات", "חברת העפרוני", "株式会社ヒバリ", "ООО «Жаворонок»", LONG)


async def bill(currency: str, minor: int, **more: object) -> UUID:
    return await money.bill(Purse(people.PATEL.id, currency), minor, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("currency", "minor", "words"), [("JPY", 1_200, "¥1,200"), ("KWD", 12_340, "12.340"), ("EUR", 1_205, "€12.05")]
)
async def test_another_currency_is_shown_with_its_own_decimals(
    app: Application, asha: Browser, currency: str, minor: int, words: str
) -> None:
    id = await bill(currency, minor)
    for path in ("/billing/invoices", f"/billing/invoices/{id}", f"/pay?bill={id}"):
        shown = await asha.open(path)
        assert shown.status == 200, path
        assert words in shown.text, path
    paper = await asha.open(f"/billing/invoices/{id}/pdf")
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(paper.answer.content)).pages)
    assert words in text


@pytest.mark.parametrize(
    ("currency", "minor", "typed", "taken"), [("JPY", 1_200, "500", 500), ("KWD", 12_340, "1.250", 1_250)]
)
async def test_a_part_is_typed_in_whole_coins_of_that_currency(
    app: Application, asha: Browser, currency: str, minor: int, typed: str, taken: int
) -> None:
    id = await bill(currency, minor)
    receipt = await (await asha.open(f"/pay?bill={id}&part=1")).submit("pay", amount=typed)
    assert "Thank you, we have your payment" in receipt.text
    rows = await fetch(PAID.bind(id=people.PATEL.id))
    assert [(row["state"], row["amount_minor"], row["currency"]) for row in rows] == [("succeeded", taken, currency)]
    assert await money.remaining(id) == minor - taken


@pytest.mark.parametrize(("currency", "minor", "typed"), [("JPY", 1_200, "500.5"), ("KWD", 12_340, "1.2505")])
async def test_a_fraction_of_its_coin_is_refused_and_charges_nothing(
    app: Application, asha: Browser, currency: str, minor: int, typed: str
) -> None:
    id = await bill(currency, minor)
    refused = await (await asha.open(f"/pay?bill={id}&part=1")).submit("pay", amount=typed)
    assert refused.status == 422
    assert refused.field("amount").value == typed
    assert refused.error("amount")
    assert await fetch(PAID.bind(id=people.PATEL.id)) == []


async def test_bills_in_two_currencies_are_not_one_payment(app: Application, asha: Browser) -> None:
    id = await bill("JPY", 1_200)
    shown = await asha.open("/pay")
    assert shown.status == 200
    assert str(id) not in {field.get("value") for field in shown.html.xpath("//input[@name='bill']")}


async def test_a_cancelled_bill_says_so_and_cannot_be_paid(app: Application, asha: Browser) -> None:
    id = await bill("GBP", 1_200, state="void")
    shown = await asha.open(f"/billing/invoices/{id}")
    assert "Void" in shown.text
    assert not shown.html.xpath("//main//a[contains(@href, '/pay')]")
    listed = await asha.open("/billing/invoices?status=void")
    assert listed.has_link(f"/billing/invoices/{id}")
    refused = await asha.open(f"/pay?bill={id}")
    assert "nothing to pay here" in refused.text.lower()
    assert not refused.html.xpath("//form[@id='pay']")


@pytest.mark.parametrize("name", ALPHABETS, ids=["arabic", "hebrew", "japanese", "cyrillic", "endless"])
async def test_any_name_stands_on_the_page_and_the_paper(app: Application, asha: Browser, name: str) -> None:
    async with transaction():
        await execute(RENAME.bind(id=people.PATEL.id, name=name[:160]))
    id = await bill("GBP", 1_200)
    assert (await asha.open(f"/billing/invoices/{id}")).status == 200
    paper = await asha.open(f"/billing/invoices/{id}/pdf")
    assert paper.answer.content.startswith(b"%PDF")
    assert len(pypdf.PdfReader(BytesIO(paper.answer.content)).pages) == 1


@pytest.mark.parametrize("path", ["/billing", "/billing/transactions", "/pay", "/billing/statement"])
async def test_more_bills_ask_the_database_no_more(asha: Browser, bloom: Browser, path: str) -> None:
    counts = []
    for browser in (asha, bloom):
        with counting() as count:
            assert (await browser.open(path)).status == 200
        counts.append(count.total)
    assert counts[0] == counts[1] <= 16


async def test_a_long_bill_asks_no_more_than_a_short_one(asha: Browser, bloom: Browser) -> None:
    counts = []
    for browser, who in ((asha, "asha"), (bloom, "bloom")):
        first = (await places.own_ids(who))["invoice_id"][0]
        with counting() as count:
            await browser.open(f"/billing/invoices/{first}")
        counts.append(count.total)
    assert counts[0] == counts[1] <= 16
