"""Paying as the customer sees it: choose how, pay, see how it stands."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.demo import people
from selfcare.kernel import clock
from selfcare.kernel.ids import new_id
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to

OPEN = Prepared.sql(
    """
    SELECT id, number, net_minor + tax_minor - paid_minor AS remaining FROM invoice
     WHERE customer_id = :customer_id AND state = 'issued' AND net_minor + tax_minor > paid_minor ORDER BY due_on
    """
)
PAYMENTS = Prepared.sql("SELECT id, state FROM payment WHERE customer_id = :customer_id ORDER BY id")
BOUNCED = Prepared.sql(
    "UPDATE notification SET state = 'failed', sent_at = NULL, sealed = NULL WHERE event = 'payment.received'"
)
CARDS = Prepared.sql("SELECT id FROM payment_method WHERE customer_id = :customer_id ORDER BY position")


async def bills(customer: people.Household = people.PATEL) -> list[dict[str, object]]:
    return await fetch(OPEN.bind(customer_id=customer.id))


async def made(customer: people.Household = people.PATEL) -> list[dict[str, object]]:
    """The payments that were begun."""
    return await fetch(PAYMENTS.bind(customer_id=customer.id))


async def gateway(browser: Browser, page: Page, outcome: Outcome) -> Page:
    """Through the gateway's card page and back to ours."""
    href = page.html.xpath("//a[normalize-space()='Continue']/@href")[0]
    theirs = await browser.open(href.removeprefix("https://selfcare.test"))
    return await theirs.submit("simpay-card", outcome=outcome.value, holder="A PATEL")


async def test_two_taps_from_the_dashboard_pay_everything(app: Application, asha: Browser) -> None:
    owed = await bills()
    dashboard = await asha.open("/")
    link = dashboard.html.xpath("//a[normalize-space()='Pay now']/@href")[0]
    review = await asha.open(link)
    receipt = await review.submit("pay")
    assert "Thank you, we have your payment" in receipt.text
    assert await bills() == []
    (payment,) = await made()
    assert payment["state"] == "succeeded"
    assert f"£{sum(int(str(bill['remaining'])) for bill in owed) / 100:.2f}" in receipt.text
    assert [mail for mail in await mails_to(app, "asha@example.test") if "Receipt" in mail.subject]


async def test_the_bank_asks_about_the_card_that_was_chosen(asha: Browser) -> None:
    bill, *others = await bills()
    cards = await fetch(CARDS.bind(customer_id=people.PATEL.id))
    page = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay", card=str(cards[1]["id"]))
    assert "Continue to your bank" in page.text
    href = page.html.xpath("//a[normalize-space()='Continue']/@href")[0].removeprefix("https://selfcare.test")
    bank = await asha.open(href)
    page = await asha.post(href, {"csrf": bank.field("csrf").value, "answer": "approve"})
    assert "Thank you, we have your payment" in page.text
    assert [one["id"] for one in await bills()] == [one["id"] for one in others]


async def test_a_part_is_paid(asha: Browser) -> None:
    bill = (await bills())[0]
    page = await asha.open(f"/pay?bill={bill['id']}&part=1")
    page = await page.submit("pay", amount="5.00")
    assert "£5.00" in page.text
    assert (await bills())[0]["remaining"] == int(str(bill["remaining"])) - 500


@pytest.mark.parametrize("amount", ["", "0", "-5", "0.49", "5.001", "1e2", "NaN", "9999", "€5", "4242 4242 4242 4242"])
async def test_a_part_that_cannot_be_is_refused_and_kept(asha: Browser, amount: str) -> None:
    bill = (await bills())[0]
    page = await asha.open(f"/pay?bill={bill['id']}&part=1")
    page = await page.submit("pay", amount=amount)
    assert page.status == 422
    assert page.error("amount")
    assert page.field("amount").value == amount
    assert await made() == []


async def test_a_new_card_is_entered_at_the_gateway_and_kept_if_wanted(app: Application, asha: Browser) -> None:
    bill = (await bills())[0]
    page = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay", card="new", save_card="on")
    assert "Continue to the payment page" in page.text
    before = len(await fetch(CARDS.bind(customer_id=people.PATEL.id)))
    page = await gateway(asha, page, Outcome.APPROVES)
    assert "Thank you, we have your payment" in page.text
    assert len(await fetch(CARDS.bind(customer_id=people.PATEL.id))) >= before


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome.DECLINED, "Your bank refused this payment"),
        (Outcome.NO_FUNDS, "There is not enough money on this card"),
        (Outcome.EXPIRED, "This card has expired"),
        (Outcome.WRONG_CODE, "security code are wrong"),
        (Outcome.LOST, "Your bank refused this payment"),
        (Outcome.LIMIT, "more than your card's limit"),
        (Outcome.NOT_SUPPORTED, "cannot be used for this payment"),
        (Outcome.TROUBLE, "Our payment provider has trouble"),
        (Outcome.OTHER, "The payment did not go through"),
    ],
)
async def test_a_declined_card_says_why_and_offers_another(asha: Browser, outcome: Outcome, why: str) -> None:
    await behave(outcome)
    bill = (await bills())[0]
    page = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay")
    assert why in page.text
    assert "Nothing was taken" in page.text
    again = await asha.open(page.html.xpath("//a[normalize-space()='Use another card']/@href")[0])
    page = await gateway(asha, await again.submit("pay"), Outcome.APPROVES)
    assert "Thank you, we have your payment" in page.text


async def test_a_lost_answer_is_asked_for_again_and_charged_once(asha: Browser) -> None:
    await behave(Outcome.ANSWER_LOST)
    bill = (await bills())[0]
    page = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay")
    assert "Thank you, we have your payment" in page.text
    assert [row["amount_minor"] for row in await fetch(TAKEN.bind())] == [bill["remaining"]]


async def test_while_the_bank_decides_the_page_says_not_to_pay_again(app: Application, asha: Browser) -> None:
    await behave(Outcome.DECIDES_LATER)
    bill = (await bills())[0]
    page = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay")
    for shown in (page, await asha.open(page.path)):
        assert "We are checking with your bank" in shown.text
        assert "Please don't pay again" in shown.text
        assert not shown.has_link("/pay?")
    clock.travel_by(timedelta(minutes=10))
    await app.catch_up()
    assert "Thank you, we have your payment" in (await asha.open(page.path)).text
    assert [row["amount_minor"] for row in await fetch(TAKEN.bind())] == [bill["remaining"]]


async def behave(outcome: Outcome) -> None:
    """Asha's first card at the gateway."""
    async with transaction():
        await execute(BEHAVE.bind(outcome=outcome, customer_id=people.PATEL.id))


BEHAVE = Prepared.sql(
    """
    UPDATE sim_card SET outcome = :outcome WHERE id IN (
        SELECT token_ref FROM payment_method WHERE customer_id = :customer_id AND is_default
    )
    """
)
TAKEN = Prepared.sql("SELECT amount_minor FROM sim_payment WHERE state = 'succeeded'")


async def test_a_payment_that_waits_for_the_person_can_be_cancelled(asha: Browser) -> None:
    bill = (await bills())[0]
    page = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay", card="new")
    action = page.html.xpath("//form[contains(@action, '/cancel')]/@action")[0]
    page = await asha.post(action, {"csrf": page.html.xpath("//input[@name='csrf']/@value")[0]})
    assert "Nothing was taken" in page.text
    assert (await asha.open(f"/pay?bill={bill['id']}")).by_id("pay") is not None


async def test_while_a_payment_is_on_its_way_nothing_else_can_be_paid(asha: Browser) -> None:
    bill = (await bills())[0]
    first = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay", card="new")
    second = await asha.open(f"/pay?bill={bill['id']}")
    assert second.path == first.path
    shown = await asha.open(f"/billing/invoices/{bill['id']}")
    assert "Payment on its way" in shown.text
    assert f"quote {first.heading.split()[-1]}" in shown.text
    assert not shown.has_link("/pay?")
    assert shown.has_link(first.path)
    assert len(await made()) == 1


async def test_the_same_press_twice_is_one_payment(asha: Browser) -> None:
    review = await asha.open("/pay")
    first, second = await review.submit("pay"), await review.submit("pay")
    assert first.path == second.path
    assert len(await made()) == 1


async def test_a_total_that_changed_is_shown_again_and_not_charged(asha: Browser) -> None:
    review = await asha.open("/pay")
    bill = (await bills())[0]
    await (await asha.open(f"/pay?bill={bill['id']}&part=1")).submit("pay", amount="5.00")
    page = await review.submit("pay")
    assert page.status == 409
    assert "The amount has changed" in page.text
    assert len(await made()) == 1
    assert "Thank you" in (await page.submit("pay")).text


@pytest.mark.parametrize("shown", ["1", "-100", "abc", "999999999999999999"])
async def test_a_tampered_total_charges_nothing(asha: Browser, shown: str) -> None:
    page = await (await asha.open("/pay")).submit("pay", shown=shown)
    assert page.status == 409
    assert await made() == []


async def test_a_bill_that_is_paid_meanwhile_is_not_paid_again_but_shows_its_payment(asha: Browser) -> None:
    bill = (await bills())[0]
    review = await asha.open(f"/pay?bill={bill['id']}")
    paid = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay")
    assert (await review.submit("pay")).path == paid.path
    assert (await asha.open(f"/pay?bill={bill['id']}")).path == paid.path
    assert len(await made()) == 1


async def test_strangers_bills_and_cards_do_not_exist(asha: Browser, chidi: Browser, bloom: Browser) -> None:
    foreign = (await bills(people.BLOOM))[0]
    assert (await asha.open(f"/pay?bill={foreign['id']}")).status == 404
    assert (await asha.open(f"/pay?bill={new_id()}")).status == 404
    assert (await asha.open("/pay?bill=1")).status == 404
    card = (await fetch(CARDS.bind(customer_id=people.PATEL.id)))[0]["id"]
    page = await (await bloom.open("/pay")).submit("pay", card=str(card))
    assert page.status == 422
    assert "Choose a card" in page.by_id("card-error").text_content()
    paid = await (await asha.open("/pay")).submit("pay")
    assert (await chidi.open(paid.path)).status == 404
    assert (await chidi.open(f"{paid.path}/return")).status == 404


async def test_who_may_only_look_cannot_pay(ben: Browser) -> None:
    assert (await ben.open("/pay")).status == 404
    bill = (await bills())[0]
    assert not (await ben.open(f"/billing/invoices/{bill['id']}")).has_link("/pay")
    assert not (await ben.open("/")).has_link("/pay")


async def test_nothing_to_pay_is_said(empty: Browser) -> None:
    page = await empty.open("/pay")
    assert page.status == 409
    assert "There is nothing to pay here" in page.text


async def test_the_open_page_hears_nothing_while_nothing_changes(asha: Browser) -> None:
    bill = (await bills())[0]
    page = await (await asha.open(f"/pay?bill={bill['id']}")).submit("pay", card="new")
    poll = page.by_id("pay-state").get("hx-get")
    assert (await asha.open(poll, htmx=True)).status == 204
    await gateway(asha, page, Outcome.APPROVES)
    news = await asha.open(poll, htmx=True)
    assert "Thank you, we have your payment" in news.text
    assert news.by_id("pay-state").get("hx-get") is None


async def test_paying_everything_pays_what_is_owed_and_no_offer(bloom: Browser) -> None:
    offers = [bill for bill in await bills(people.BLOOM) if str(bill["number"]).startswith("PF-")]
    review = await bloom.open("/pay")
    assert offers
    assert review.html.xpath("//input[@name='bill']")
    assert not [bill for bill in offers if str(bill["number"]) in review.text]
    assert str(offers[0]["number"]) in (await bloom.open(f"/pay?bill={offers[0]['id']}")).text


async def test_bills_are_ticked_to_pay_several(bloom: Browser) -> None:
    page = await bloom.open("/billing")
    owed = await bills(people.BLOOM)
    assert len(page.html.xpath("//input[@name='bill']")) == len(owed)
    chosen = [str(bill["id"]) for bill in owed]
    review = await page.submit("choose", bill=chosen)
    assert len(review.html.xpath("//input[@type='hidden'][@name='bill']")) == len(owed)
    row = await fetch_one(CARDS.bind(customer_id=people.BLOOM.id))
    assert (row is not None) == bool(review.html.xpath("//input[@name='card'][not(@value='new')]"))


async def test_the_page_says_when_the_mail_with_the_receipt_did_not_arrive(app: Application, asha: Browser) -> None:
    receipt = await (await asha.open("/pay")).submit("pay")
    assert "could not be delivered" not in (await asha.open(receipt.path)).text
    async with transaction():
        await execute(BOUNCED.bind())
    page = await asha.open(receipt.path)
    assert "The mail with this receipt could not be delivered." in page.text
