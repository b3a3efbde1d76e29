"""The statement of account: it adds up, and it closes to the books."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pypdf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfcare.app import Application
from selfcare.db.counting import counting
from selfcare.db.engine import Database, transaction
from selfcare.db.prepared import Prepared, execute, fetch_one, insert_many
from selfcare.demo import people
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.kernel.errors import Rejected
from selfcare.kernel.ids import new_id
from selfcare.kernel.money import Money
from selfcare.portal.billing import bookkeeping, credit_notes
from selfcare.portal.billing.statement import statement
from selfcare.portal.billing.statement.statement import Span, Statement, add_months
from selfcare.portal.billing.tables import Transaction
from selfcare.portal.pay import refunds
from selfcare.portal.pay.payments import BillPart
from selfcare.portal.pay.refunds import Source
from tests.support import money
from tests.support.browser import Browser

EVER = Span(date(1970, 1, 1), date(2027, 12, 31))
BOOKS = Prepared.sql(
    """
    SELECT COALESCE(sum(balance_minor), 0) AS minor FROM ledger_account
     WHERE customer_id = :customer_id AND currency = 'GBP' AND kind IN ('receivable', 'credit', 'held', 'on_order')
    """,
    types={"minor": int},
)
TURN_VOID = Prepared.sql("UPDATE invoice SET state = 'void' WHERE id = :id")
OPEN = Prepared.sql(
    "SELECT id FROM invoice WHERE customer_id = :customer_id AND state = 'issued' ORDER BY date DESC LIMIT 1"
)


def scope_of(home: people.Household) -> CustomerScope:
    return CustomerScope(home.id, home.number, home.name, "residential", "active", "later", "GBP", "Europe/London")


async def in_the_books(customer_id: UUID) -> int:
    row = await fetch_one(BOOKS.bind(customer_id=customer_id))
    assert row is not None
    return int(row["minor"])


@pytest.mark.parametrize("home", [people.PATEL, people.BLOOM, people.OKORO], ids=lambda home: home.name)
async def test_it_closes_to_the_books(app: Application, home: people.Household) -> None:
    await bookkeeping.post_new_bills()
    found = await statement.long(scope_of(home), EVER)
    assert len(found.movements) > 1
    assert found.closing.minor == await in_the_books(home.id)


@pytest.mark.parametrize("credited", [300, 1_900, 2_400])
async def test_it_closes_to_the_books_whatever_happened(database: Database, credited: int) -> None:
    counter, purse = money.counter(), await money.purse()
    scope = replace(scope_of(people.PATEL), customer_id=purse.customer_id)

    async def closes() -> Statement:
        found = await statement.long(scope, EVER)
        assert found.closing.minor == await in_the_books(purse.customer_id)
        return found

    await money.give_credit(counter, purse, 700)
    assert (await closes()).closing.minor == -700
    bills = [await money.bill(purse, minor) for minor in (2_400, 1_000)]
    await bookkeeping.post_new_bills()
    assert (await closes()).closing.minor == 2_700
    paid = await money.pay(counter, purse, BillPart(bills[0], Money(900, "GBP")), bills[1])
    found = await closes()
    assert [one.amount.minor for one in found.movements if one.payment_id == paid.id] == [-1_200]
    line = new_id()
    row = {"id": line, "customer_id": purse.customer_id, "at": clock.now(), "kind": "charge", "description": "Roaming"}
    row |= {"amount_minor": 2_000, "tax_minor": 400, "tax_permille": 200, "currency": "GBP", "invoice_id": bills[0]}
    async with transaction():
        await insert_many(Transaction, [row | {"quantity": 1, "created_at": clock.now()}])
        of, amount = purse.customer_id, Money(credited, "GBP")
        await credit_notes.give(purse.person, of, line, amount, zone="Europe/London")
    assert (await closes()).closing.minor == 1_500 - credited
    back = Money(500, "GBP")
    await refunds.refund(counter.till, purse.person, paid.id, back, source=Source.BILL, reason="asked for it")
    assert (await closes()).closing.minor == 2_000 - credited
    await refunds.refund(counter.till, purse.person, paid.id, back, source=Source.GOODWILL, reason="sorry")
    await counter.work()
    assert (await closes()).closing.minor == 2_000 - credited
    await money.bill(purse, 600, kind="proforma")
    await money.bill(purse, 600, state="draft")
    await bookkeeping.post_new_bills()
    assert (await closes()).closing.minor == 2_000 - credited


async def test_it_closes_to_the_books_after_payments(app: Application, asha: Browser) -> None:
    for _n in range(2):
        review = await asha.open("/pay")
        if review.html.xpath("//form[@id='pay']"):
            await review.submit("pay")
        await app.catch_up()
    await bookkeeping.post_new_bills()
    assert (await statement.long(scope_of(people.PATEL), EVER)).closing.minor == await in_the_books(people.PATEL.id)


async def test_a_void_bill_is_shown_and_counts_nothing(app: Application) -> None:
    await bookkeeping.post_new_bills()
    bill = await fetch_one(OPEN.bind(customer_id=people.PATEL.id))
    assert bill is not None
    async with transaction():
        await execute(TURN_VOID.bind(id=bill["id"]))
    await bookkeeping.post_new_bills()
    found = await statement.long(scope_of(people.PATEL), EVER)
    assert [one.amount.minor for one in found.movements if one.is_void] == [0]
    assert found.closing.minor == await in_the_books(people.PATEL.id)


async def test_any_day_between_closes_where_the_next_opens(app: Application) -> None:
    scope = scope_of(people.BLOOM)
    whole = await statement.long(scope, EVER)
    for day in sorted({one.day for one in whole.movements})[::3]:
        before = await statement.long(scope, Span(EVER.first, day))
        after = await statement.long(scope, Span(day + timedelta(days=1), EVER.last))
        assert before.closing == after.opening
        assert after.closing == whole.closing
        assert len(before.movements) + len(after.movements) == len(whole.movements)


async def test_the_balance_runs(app: Application) -> None:
    found = await statement.long(scope_of(people.BLOOM), EVER)
    balance = found.opening
    for one in found.movements:
        balance += one.amount
        assert one.balance == balance
    assert found.opening + found.asked + found.given == found.closing


async def test_page_file_and_paper_say_the_same(bloom: Browser) -> None:
    days = "first=2026-01-01&last=2026-11-22"
    page = await bloom.open(f"/billing/statement?{days}")
    file = await bloom.open(f"/billing/statement.csv?{days}")
    lines = list(csv.DictReader(io.StringIO(file.answer.content.decode("utf-8-sig"))))
    opening, *moved, closing = (Decimal(line["Balance"]) for line in lines)
    assert opening + sum(Decimal(line["Amount"]) for line in lines if line["Amount"]) == closing
    assert len(page.html.xpath("//tbody/tr")) == len(moved)
    paper = await bloom.open(f"/billing/statement.pdf?{days}")
    text = "\n".join(one.extract_text() for one in pypdf.PdfReader(io.BytesIO(paper.answer.content)).pages)
    for words in (
        "Statement of account",
        "Bloom",
        f"{abs(closing):,.2f}",
        *(line["Description"] for line in lines[1:3]),
    ):
        assert words in text
    assert paper.headers["content-disposition"] == 'attachment; filename="statement-2026-01-01-2026-11-22.pdf"'


async def test_more_rows_are_not_more_queries(bloom: Browser) -> None:
    counts = []
    for first in ("2026-11-20", "2025-01-01"):
        with counting() as counted:
            await bloom.open(f"/billing/statement?first={first}&last=2026-11-22")
        counts.append(len(counted))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("days", "field", "words"),
    [
        ("first=2026-11-16&last=2026-11-01", "last", "on or after the first"),
        ("first=yesterday", "first", "Enter a date"),
    ],
)
async def test_days_that_cannot_be_are_said(asha: Browser, days: str, field: str, words: str) -> None:
    page = await asha.open(f"/billing/statement?{days}")
    assert page.status == 422
    assert words in page.error(field)
    assert (await asha.open(f"/billing/statement.csv?{days}")).status == 422


async def test_more_than_two_years_at_once_are_too_many(asha: Browser) -> None:
    page = await asha.open("/billing/statement?first=2020-01-01&last=2026-11-22")
    assert page.status == 200
    assert not page.html.xpath("//tbody/tr")
    with pytest.raises(Rejected):
        await statement.get(scope_of(people.PATEL), EVER)


async def test_the_ends_of_the_calendar_are_no_trouble(asha: Browser) -> None:
    assert (await asha.open("/billing/statement?first=0001-01-01&last=0001-12-31")).status == 200
    assert (await asha.open("/billing/statement?first=9998-01-01&last=9999-12-31")).status == 200


async def test_who_may_not_see_bills_sees_no_statement(femi: Browser) -> None:
    for path in ("", ".csv", ".pdf"):
        assert (await femi.open(f"/billing/statement{path}")).status == 404


@given(st.dates(), st.integers(-2000, 2000))
def test_months_later_is_the_same_day_or_the_last(day: date, months: int) -> None:
    later = add_months(day, months)
    assert later in (date.min, date.max) or later.day == day.day or (later + timedelta(days=1)).day == 1
