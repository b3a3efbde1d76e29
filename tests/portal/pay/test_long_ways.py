"""Payments that somebody has to look at, and what the pages of money cost."""

from __future__ import annotations

import gzip
from datetime import timedelta

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.app import Application
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.kernel import clock
from selfcare.portal.pay import reconciling
from selfcare.portal.pay.till import Till
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to

OPEN = Prepared.sql("SELECT id FROM invoice WHERE customer_id = :customer_id AND state = 'issued' ORDER BY due_on")
BEHAVE = Prepared.sql("UPDATE sim_card SET outcome = :outcome WHERE id = 'demo_asha_visa_1'")
REVIEW = Prepared.sql("UPDATE payment SET state = 'manual_review', review = 'Somebody else paid it.'")


async def undecided(asha: Browser) -> Page:
    """The oldest bill of Asha, paid by a card whose bank thinks about it."""
    async with transaction():
        await execute(BEHAVE.bind(outcome=Outcome.DECIDES_LATER.value))
    bill = (await fetch(OPEN.bind(customer_id=people.PATEL.id)))[0]["id"]
    return await (await asha.open(f"/pay?bill={bill}")).submit("pay")


def reference_on(page: Page) -> str:
    return page.heading.removeprefix("Payment ")


async def test_after_a_day_staff_see_it_and_the_customer_is_told_once(
    app: Application, asha: Browser, admin: Browser
) -> None:
    page = await undecided(asha)
    assert reference_on(page) not in (await admin.open("/staff/payments")).text
    clock.travel_by(timedelta(hours=25))
    for _n in range(2):
        await reconciling.reconcile(Till.of(app.ports, app.site.settings))
        clock.travel_by(timedelta(minutes=5))
    await admin.sign_in(people.ADMIN.email)
    assert reference_on(page) in (await admin.open("/staff/payments")).text
    async with transaction():
        await execute(Prepared.sql("DELETE FROM job WHERE kind = 'simpay.decide'").bind())
    told = [mail for mail in await mails_to(app, "asha@example.test") if reference_on(page) in mail.text]
    assert len(told) == 1


async def test_a_payment_in_review_says_so_and_leaves_no_way_to_pay_again(asha: Browser) -> None:
    page = await undecided(asha)
    async with transaction():
        await execute(REVIEW.bind())
    again = await asha.open(page.path)
    assert "We are looking into this payment ourselves" in again.text
    assert "Please don't pay again." in again.text
    bill = (await fetch(OPEN.bind(customer_id=people.PATEL.id)))[0]["id"]
    shown = await asha.open(f"/billing/invoices/{bill}")
    assert "Payment on its way" in shown.text
    assert not shown.has_link("/pay?bill=")
    assert (await asha.open(f"/pay?bill={bill}")).path == page.path


@pytest.mark.parametrize(
    ("path", "statements"),
    [("/pay", 10), ("/cards", 5), ("/cards/new", 5), ("/pay/autopay", 7), ("/billing", 10)],
)
async def test_pages_of_money_ask_little_and_weigh_little(asha: Browser, path: str, statements: int) -> None:
    await asha.open(path)
    with counting() as counted:
        page = await asha.open(path)
    assert page.status == 200
    assert len(counted) <= statements, len(counted)
    assert len(gzip.compress(page.answer.content, 5)) <= 5_000
