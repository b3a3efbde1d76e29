"""Bills and receipts on paper: what they say is what is stored, in any script, over any number of pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO

import pypdf
import pytest

from selfcare import theme
from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.demo import people
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing.invoices import Bill, Label
from selfcare.portal.billing.papers import Receiver, draw_invoice, hash_of
from selfcare.portal.billing.queries import Group, InvoiceDetail, InvoiceRow, Line, TaxLine
from selfcare.portal.billing.sheet import is_rtl, visual, wrapped
from tests.support.browser import Browser

BILLS = Prepared.sql(
    """
    SELECT id, number, net_minor + tax_minor AS total, pdf_hash
      FROM invoice WHERE customer_id = :customer_id ORDER BY date
    """
)
BROKEN = Prepared.sql("SELECT outcome FROM audit_event WHERE event = 'billing.ledger_broken'")
OPERATOR = theme.load()
ASHA = Receiver("100201", "Asha Patel", "14 Larch Road\nLeeds", None, "en")


def invoice(lines: int = 3, *, name: str = "Mobile", words: str = "Lark 20", **bill: object) -> InvoiceDetail:
    made = [
        Line(
            new_id(), words, "charge", datetime(2026, 11, 1, tzinfo=UTC), 1, Money(1200, "GBP"), Money(1000, "GBP"),
            Money(200, "GBP"), 200, date(2026, 11, 1), date(2026, 12, 1),
        )
        for _n in range(lines)
    ]  # fmt: skip
    net, tax = Money(1000 * lines, "GBP"), Money(200 * lines, "GBP")
    owed = Bill(currency="GBP", net_minor=net.minor, tax_minor=tax.minor, paid_minor=0, due_on=date(2026, 12, 4))
    owed = replace(owed, **bill)  # type: ignore[arg-type]
    row = InvoiceRow(new_id(), "INV-2026-000007", date(2026, 11, 20), date(2026, 12, 4), owed, Label.UNPAID, None)
    return InvoiceDetail(row, [Group(new_id(), name, made)], [TaxLine(200, net, tax)], [], net, tax, None)


def read(body: bytes) -> tuple[pypdf.PdfReader, str]:
    reader = pypdf.PdfReader(BytesIO(body))
    return reader, "\n".join(page.extract_text() for page in reader.pages)


def drawn(made: InvoiceDetail, receiver: Receiver = ASHA, *, simulated: bool = False) -> tuple[pypdf.PdfReader, str]:
    return read(draw_invoice(made, receiver, OPERATOR, simulated=simulated))


async def test_the_paper_says_what_is_stored(app: Application, asha: Browser) -> None:
    for bill in await fetch(BILLS.bind(customer_id=people.PATEL.id)):
        answer = await asha.open(f"/billing/invoices/{bill['id']}/pdf")
        assert answer.headers["content-disposition"] == f'attachment; filename="{bill["number"]}.pdf"'
        assert answer.headers["cache-control"] == "private, no-store"
        _reader, text = read(answer.answer.content)
        for words in (bill["number"], f"£{bill['total'] / 100:.2f}", "Asha Patel", "LS6 2QT", "SIMULATED"):
            assert words in text


async def test_the_same_bill_gives_the_same_bytes_and_its_hash_is_kept(asha: Browser) -> None:
    bill = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[-1]
    first = await asha.open(f"/billing/invoices/{bill['id']}/pdf")
    again = await asha.open(f"/billing/invoices/{bill['id']}/pdf")
    assert first.answer.content == again.answer.content
    kept = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[-1]["pdf_hash"]
    assert len(kept) == 64
    assert await fetch(BROKEN.bind()) == []


async def test_a_bill_that_was_changed_after_it_was_printed_is_an_alarm(asha: Browser) -> None:
    bill = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[-1]
    await asha.open(f"/billing/invoices/{bill['id']}/pdf")
    async with transaction():
        await execute(FORGE.bind(id=bill["id"], hash="0" * 64))
    assert (await asha.open(f"/billing/invoices/{bill['id']}/pdf")).status == 200
    assert await fetch_one(BROKEN.bind()) is not None


FORGE = Prepared.sql("UPDATE invoice SET pdf_hash = :hash WHERE id = :id")


async def test_paying_does_not_change_the_paper(asha: Browser) -> None:
    before = invoice()
    assert hash_of(before) == hash_of(replace(before, payments=before.groups[0].lines))


async def test_who_may_not_see_a_bill_gets_no_paper_of_it(asha: Browser, chidi: Browser, femi: Browser) -> None:
    own = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[-1]
    assert (await chidi.open(f"/billing/invoices/{own['id']}/pdf")).status == 404
    bloom = (await fetch(BILLS.bind(customer_id=people.BLOOM.id)))[-1]
    assert (await femi.open(f"/billing/invoices/{bloom['id']}/pdf")).status == 404


async def test_thirty_a_minute_are_enough(asha: Browser) -> None:
    bill = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[-1]
    statuses = [(await asha.open(f"/billing/invoices/{bill['id']}/pdf")).status for _n in range(31)]
    assert statuses == [200] * 30 + [429]


def test_a_long_bill_runs_over_pages_and_repeats_its_headings() -> None:
    reader, text = drawn(invoice(90))
    assert len(reader.pages) > 2
    for number, page in enumerate(reader.pages, 1):
        said = page.extract_text()
        assert f"{number} / {len(reader.pages)}" in said
        assert "Amount before tax" in said or number == len(reader.pages)
    assert text.count("Lark 20") == 90


def test_title_and_language_are_in_the_file() -> None:
    reader, _text = drawn(invoice(), replace(ASHA, language="en-GB"))
    assert reader.metadata is not None
    assert (reader.metadata.title, reader.metadata.author) == ("Bill INV-2026-000007", OPERATOR.name)
    assert reader.root_object["/Lang"] == "en-GB"
    assert reader.root_object["/ViewerPreferences"]["/DisplayDocTitle"]


@pytest.mark.parametrize("name", ["Дмитрий Шостакович", "Ελένη Παπαδοπούλου", "Łukasz Żółć", "Ngô Bảo Châu"])
def test_other_alphabets_can_be_read_back(name: str) -> None:
    assert name in drawn(invoice(name=name), replace(ASHA, name=name))[1]


@pytest.mark.parametrize("name", ["محمد عبد الله", "אברהם כהן"])
def test_text_from_right_to_left_has_all_its_signs(name: str) -> None:
    reader, text = drawn(invoice(), replace(ASHA, name=name))
    assert "\ufffd" not in text
    assert len(reader.pages) == 1
    assert name.split()[0][0] in text or any("\ufb50" <= sign <= "\ufefc" for sign in text)


def test_a_name_without_end_stays_on_the_paper() -> None:
    long = "Ж" * 160
    assert "".join(wrapped(long, 200, 9.5)) == long
    text = drawn(invoice(name=long, words=long), replace(ASHA, name=long))[1]
    # The receiver, three lines, and the heading over them.
    assert text.count("Ж") == 160 + 3 * 160 + 160


@pytest.mark.parametrize(
    ("words", "rtl"),
    [
        ("Temperature sensor, alarm by text in Arabic (العربية) and nothing else", False),
        ("شركة نور الدين – Noor & Sons Refrigeration Engineering (Yorkshire)", True),
    ],
)
def test_what_runs_both_ways_keeps_the_direction_it_began_with(words: str, rtl: bool) -> None:
    lines = wrapped(words, 120, 9.5)
    assert len(lines) >= 3
    assert [is_rtl(line) for line in lines] == [rtl] * len(lines)
    # The marks that hold the direction are not printed.
    assert all(visual(line).isprintable() for line in lines)


def test_markup_is_only_text() -> None:
    assert "<b>&amp;</b>" in drawn(invoice(words="<b>&amp;</b>"))[1]


@pytest.mark.parametrize(
    ("changed", "says", "not_says"),
    [
        ({"kind": "credit_note"}, "Credit note INV-2026-000007", "Please pay"),
        ({"kind": "proforma"}, "Pro-forma INV-2026-000007", "Credit note"),
        ({"state": "void"}, "This bill was cancelled", "Please pay"),
        ({}, "Please pay by 4 Dec 2026 and quote INV-2026-000007", "SIMULATED"),
    ],
)
def test_each_kind_of_bill_says_what_it_is(changed: dict[str, str], says: str, not_says: str) -> None:
    text = " ".join(drawn(invoice(**changed))[1].split())  # type: ignore[arg-type]
    assert says in text
    assert not_says not in text


async def test_the_receipt_says_what_was_paid_and_with_what(asha: Browser, chidi: Browser) -> None:
    paid = await (await asha.open("/pay")).submit("pay")
    answer = await asha.open(f"{paid.path}/receipt")
    _reader, text = read(answer.answer.content)
    for words in ("Receipt PAY-", "Visa 4242", "Asha Patel", "SIMULATED", "Bills INV-"):
        assert words in text
    assert (await chidi.open(f"{paid.path}/receipt")).status == 404


async def test_what_is_not_paid_has_no_receipt(asha: Browser) -> None:
    bill = (await fetch(BILLS.bind(customer_id=people.PATEL.id)))[-1]
    waiting = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay", card="new")
    assert (await asha.open(f"{waiting.path}/receipt")).status == 404
