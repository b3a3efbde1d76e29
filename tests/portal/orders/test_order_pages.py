"""Orders as the customer sees them: how far each is, what there is now, and nobody else's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome as Bank
from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch_one
from selfcare.demo import people
from selfcare.kernel import clock, ids
from selfcare.kernel.money import Money
from selfcare.portal.orders import allowances, orders
from selfcare.portal.orders.order import Kind, Order, State
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.outcome import Outcome, Result
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to
from tests.support.papers import read_paper
from tests.support.shopping import Scripted

GRANT = {"kind": "data", "amount": 5 * 10**9, "label": "Extra data", "lifetime_days": 30}
CARD = Prepared.sql("SELECT id FROM payment_method WHERE customer_id = :customer_id AND is_default")

BEHAVE = Prepared.sql(
    """
    UPDATE sim_card SET outcome = :outcome
     WHERE id = (SELECT m.token_ref FROM payment_method m WHERE m.id = :card_id)
    """
)


@pytest.fixture
def shop(app: Application) -> Shop:
    return Shop.of(app.ports, app.site.settings)


async def buy(shop: Shop, minor: int = 0, *, outcome: Bank | None = None, grant: Mapping[str, Any] = GRANT) -> Order:
    card = await fetch_one(CARD.bind(customer_id=people.PATEL.id))
    assert card is not None
    if outcome is not None:
        async with transaction():
            await execute(BEHAVE.bind(card_id=card["id"], outcome=outcome))
    who = audit.system(customer_id=people.PATEL.id, user_id=people.ASHA.id)
    puts = allowances.frozen([grant], "GBP", now=clock.now())
    wanted = Wanted(
        kind=Kind.TOPUP,
        name="5 GB extra",
        price=Money(minor, "GBP"),
        delivers={"puts": puts},
        tax_permille=200,
        service_id=people.ASHA_MOBILE,
    )
    return await orders.buy(shop, who, wanted, How(request_key=ids.token(), card_id=card["id"], use_credit=False))


def looks_again(page: Page) -> list[str]:
    return [str(link) for link in page.html.xpath("//main//a[normalize-space()='Look again']/@href")]


def refusing(shop: Shop) -> Shop:
    says = Scripted([Outcome(Result.FAILED, "no such account")])
    return Shop(shop.till, shop.charging, dict.fromkeys(Kind, says))


async def test_minutes_for_calls_abroad_are_not_told_beside_those_of_the_plan(shop: Shop, asha: Browser) -> None:
    order = await buy(shop, grant={"kind": "voice", "amount": 3600, "label": "World", "scope": "international"})
    text = (await asha.open(f"/orders/{order.id}")).text
    assert text.count("You now have") == 1
    assert "You now have 116 minutes." in text


async def test_a_finished_order_says_what_there_is_now(app: Application, shop: Shop, asha: Browser) -> None:
    order = await buy(shop, 800)
    assert order.state is State.DELIVERED
    page = await asha.open(f"/orders/{order.id}")
    assert "You now have 25.2 GB." in page.text
    steps = [" ".join(step.text_content().split()) for step in page.html.xpath("//ol[@class='life']/li")]
    assert [step.partition(" 22 Nov")[0] for step in steps] == ["Asked for", "Paid", "Added", "Ready"]
    assert order.reference in page.text
    assert [mail.subject for mail in await mails_to(app, "asha@example.test")][-1] == "5 GB extra is ready"


async def test_an_order_that_failed_says_where_the_money_is(app: Application, shop: Shop, asha: Browser) -> None:
    order = await buy(refusing(shop), 800)
    page = await asha.open(f"/orders/{order.id}")
    assert "Your money is on its way back." in page.text
    assert "no such account" not in page.text
    assert looks_again(page) == [f"/orders/{order.id}"], "without JavaScript nothing else says when it is back"
    told = [mail for mail in await mails_to(app, "asha@example.test") if "could not be carried out" in mail.subject]
    assert len(told) == 1
    back = await asha.open(f"/orders/{order.id}")
    assert "Your money has been given back." in back.text
    assert looks_again(back) == []


async def test_the_open_page_is_told_nothing_until_something_changes(shop: Shop, asha: Browser) -> None:
    order = await buy(shop)
    same = await asha.open(f"/orders/{order.id}/state?was=delivered", htmx=True)
    assert same.status == 204
    fresh = await asha.open(f"/orders/{order.id}/state?was=delivering", htmx=True)
    assert fresh.html.xpath("//*[@id='orders-order']")


async def test_what_is_running_is_asked_about_again_and_what_is_done_is_not(shop: Shop, asha: Browser) -> None:
    running = Shop(shop.till, shop.charging, dict.fromkeys(Kind, Scripted([Outcome(Result.RUNNING)])))
    order = await buy(running)
    page = await asha.open(f"/orders/{order.id}")
    assert "Adding…" in page.text
    assert page.html.xpath("//*[@id='orders-order']/@hx-get") == [f"/orders/{order.id}/state?was=delivering"]
    with clock.frozen(clock.now() + timedelta(minutes=12)):
        assert "This takes longer than usual" in (await asha.open(f"/orders/{order.id}")).text
    done = await buy(shop)
    assert not (await asha.open(f"/orders/{done.id}")).html.xpath("//*[@id='orders-order']/@hx-get")


async def test_the_list_is_the_customers_own(shop: Shop, asha: Browser, ben: Browser, chidi: Browser) -> None:
    order = await buy(shop)
    for member in (asha, ben):
        assert order.reference in (await member.open("/orders")).text
    assert order.reference not in (await chidi.open("/orders")).text
    for path in (f"/orders/{order.id}", f"/orders/{order.id}/state"):
        assert (await chidi.open(path)).status == 404


@pytest.mark.parametrize("before", ["nonsense", "2026-01-01", "9999-99-99"])
async def test_a_mangled_page_is_the_first_page(asha: Browser, before: str) -> None:
    assert (await asha.open(f"/orders?before={before}")).status == 200


async def test_the_bank_asks_on_the_orders_own_page_and_leads_back_to_it(shop: Shop, asha: Browser) -> None:
    order = await buy(shop, 800, outcome=Bank.ASKS)
    page = await asha.open(f"/orders/{order.id}")
    assert "Continue to your bank" in page.text
    href = page.html.xpath("//a[normalize-space()='Continue']/@href")[0]
    theirs = await asha.open(href.removeprefix("https://selfcare.test"))
    back = await theirs.submit("simpay-bank", answer="approve")
    assert back.path == f"/orders/{order.id}"
    assert "Ready to use" in back.text


async def test_a_refused_card_says_why_and_that_nothing_was_taken(shop: Shop, asha: Browser) -> None:
    order = await buy(shop, 800, outcome=Bank.NO_FUNDS)
    page = await asha.open(f"/orders/{order.id}")
    assert "There is not enough money on this card" in page.text
    assert "Nothing was taken." in page.text


async def test_the_credit_note_of_what_failed_stands_on_its_page_and_among_the_bills(
    app: Application, shop: Shop, asha: Browser, chidi: Browser, dina: Browser
) -> None:
    order = await buy(refusing(shop), 600)
    path = f"/orders/{order.id}/credit-note"
    assert (await asha.open(path)).status == 404
    await app.catch_up()
    page = await asha.open(f"/orders/{order.id}")
    number = page.one("//h2[@id='notes-heading']/following::dd[1]").text_content()
    assert "£6.00 went back to the card it was paid with." in page.text
    paper = read_paper((await asha.open(path)).answer.content)
    for words in (f"Credit note {number}", order.reference, "5 GB extra", "−£5.00", "Tax 20 % on −£5.00", "−£6.00"):
        assert words in paper
    bills = await asha.open("/billing/invoices?status=paid")
    row = bills.one(f"//tr[.//a[@href='/orders/{order.id}']]").text_content()
    assert number in row
    assert "−£6.00" in row
    assert number not in (await asha.open("/billing/invoices?status=open")).text
    assert (await chidi.open(path)).status == 404
    assert "Asha Patel" in (await dina.open(f"/staff/customers?q={number}")).text
    assert [mail.subject for mail in await mails_to(app, people.ASHA.email) if number in mail.subject]
