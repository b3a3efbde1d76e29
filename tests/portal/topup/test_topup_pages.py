"""Buying a top-up as the customer sees it: which service, which top-up, once more, pay."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import catalogue, people
from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.portal.billing import ledger
from selfcare.portal.billing.ledger import Account, Journal, Kind
from selfcare.ports.charging import Health
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to

SERVICES = Prepared.sql(
    """
    SELECT s.id, s.state, s.type, p.slug FROM service s JOIN product p ON p.id = s.product_id
     WHERE s.customer_id = :customer_id ORDER BY s.name
    """
)
ORDERS = Prepared.sql("SELECT id, state, price_minor, name FROM purchase_order WHERE customer_id = :id ORDER BY id")
CARDS = Prepared.sql("SELECT id FROM payment_method WHERE customer_id = :id ORDER BY is_default DESC, position")
GRANTS = Prepared.sql("SELECT id FROM allowance_grant WHERE order_id IN :orders")
PRICE = Prepared.sql("UPDATE product SET price_minor = :price, version = version + 1 WHERE id = :id")
WITHDRAW = Prepared.sql("UPDATE product SET enabled = :no WHERE id = :id")
SUSPEND = Prepared.sql("UPDATE service SET state = 'suspended', suspend_reason = :why WHERE id = :id")
END = Prepared.sql("UPDATE service SET state = 'ended', end_reason = 'cancelled' WHERE id = :id")
EUROPE = '["roaming-europe"]'
STALE = Prepared.sql("UPDATE session SET proved_at = :at")


async def mobile(customer: people.Household = people.PATEL) -> UUID:
    found = await fetch(SERVICES.bind(customer_id=customer.id))
    return next(row["id"] for row in found if row["type"] == "mobile" and row["state"] == "active")


async def bought(customer: people.Household = people.PATEL) -> list[dict[str, object]]:
    return await fetch(ORDERS.bind(id=customer.id))


async def review(browser: Browser, product: catalogue.Sold = catalogue.DATA_5, amount: str = "") -> Page:
    more = f"&amount={amount}" if product.custom else ""
    return await browser.open(f"/topup/{await mobile()}/review?product={product.id}{more}")


async def test_three_taps_with_a_saved_card_and_the_balance_is_new_at_once(app: Application, asha: Browser) -> None:
    service = await mobile()
    services = await asha.open("/topup")
    shelf = await asha.open(services.html.xpath(f"//*[@id='target-{service}']//a/@href")[0])
    offer = shelf.html.xpath(f"//*[@id='offer-{catalogue.DATA_5.id}']//a/@href")[0]
    page = await asha.open(offer)
    assert "£6.00" in page.text
    assert "includes £1.00 tax" in page.text
    assert "on top of what is left" in page.text
    assert "22 Dec 2026" in page.text
    done = await page.submit("buy")
    assert "Ready" in done.text, done.text
    assert "You now have" in done.text
    (order,) = await bought()
    assert (order["state"], order["price_minor"]) == ("delivered", 600)
    assert len(await fetch(GRANTS.bind(orders=[order["id"]]))) == 1
    await app.catch_up()
    assert [mail for mail in await mails_to(app, "asha@example.test") if "5 GB extra data" in mail.text]


async def test_what_was_bought_last_stands_first(asha: Browser) -> None:
    await (await review(asha)).submit("buy")
    shelf = await asha.open(f"/topup/{await mobile()}")
    assert shelf.by_id("again").get("href").endswith(f"product={catalogue.DATA_5.id}")


async def test_an_amount_of_ones_own_is_that_much_credit(asha: Browser) -> None:
    page = await review(asha, catalogue.CREDIT_ANY, "12.34")
    assert "£12.34 credit" in page.text
    await page.submit("buy")
    (order,) = await bought()
    assert (order["price_minor"], order["name"], order["state"]) == (1234, "£12.34 credit", "delivered")


@pytest.mark.parametrize("typed", ["", "0", "-5", "1e3", "NaN", "5.001", "100.01", "4.99", "١٠", "5,5", "9" * 30])
async def test_an_amount_that_is_none_is_refused_beside_the_field(asha: Browser, typed: str) -> None:
    page = await review(asha, catalogue.CREDIT_ANY, typed)
    assert page.status == 422
    assert page.error("amount").endswith("Enter an amount from £5.00 to £100.00.")
    assert page.field("amount").value == typed
    assert await bought() == []


async def test_the_limit_of_a_day_holds_over_several_purchases(asha: Browser) -> None:
    for _time in range(2):
        await (await review(asha, catalogue.CREDIT_ANY, "100")).submit("buy")
    refused = await (await review(asha)).submit("buy")
    assert refused.status == 422
    assert "limited to £200.00 a day. Today £0.00 can still be bought" in refused.text
    assert len(await bought()) == 2


async def test_a_price_that_changed_meanwhile_is_shown_and_not_charged(asha: Browser) -> None:
    page = await review(asha)
    await change(PRICE, id=catalogue.DATA_5.id, price=700)
    again = await page.submit("buy")
    assert again.status == 409
    assert "The price has changed to £7.00 meanwhile. Nothing was charged." in again.text
    assert await bought() == []
    await again.submit("buy")
    assert [order["price_minor"] for order in await bought()] == [700]


async def test_a_price_that_somebody_made_up_is_not_charged(asha: Browser) -> None:
    page = await (await review(asha)).submit("buy", shown="1")
    assert page.status == 409
    assert await bought() == []


async def test_what_was_withdrawn_meanwhile_cannot_be_bought(asha: Browser) -> None:
    page = await review(asha)
    await change(WITHDRAW, id=catalogue.DATA_5.id, no=False)
    refused = await page.submit("buy")
    assert refused.status == 409
    assert "no longer on sale" in refused.text
    assert await bought() == []


@pytest.mark.parametrize("product", [catalogue.FIBRE_80, catalogue.LARK_5])
async def test_what_is_no_top_up_is_not_found(asha: Browser, product: catalogue.Sold) -> None:
    assert (await review(asha, product)).status == 404


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (SUSPEND, "suspended"),
        (END, "has ended"),
    ],
)
async def test_a_service_that_does_not_run_cannot_be_topped_up(asha: Browser, statement: Prepared, words: str) -> None:
    page, service = await review(asha), await mobile()
    await change(statement, id=service, **({"why": "staff"} if statement is SUSPEND else {}))
    refused = await page.submit("buy")
    assert refused.status == 409
    assert words in refused.text
    assert await bought() == []


async def test_a_strangers_service_is_not_found(chidi: Browser) -> None:
    page = await chidi.open(f"/topup/{await mobile()}/review?product={catalogue.DATA_5.id}")
    assert page.status == 404


async def test_nothing_is_charged_while_the_meter_is_away(
    app: Application, asha: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await review(asha)

    async def away() -> Health:
        return Health(ok=False, words="no answer")

    monkeypatch.setattr(app.ports.charging, "health", away)
    refused = await page.submit("buy")
    assert refused.status == 503
    assert "nothing was charged" in refused.text
    assert await bought() == []


async def test_the_same_form_sent_twice_is_one_order(asha: Browser) -> None:
    page = await review(asha)
    first, second = await page.submit("buy"), await page.submit("buy")
    assert first.path == second.path
    assert len(await bought()) == 1


async def test_a_new_card_is_entered_at_the_gateway_and_comes_back_to_the_order(asha: Browser) -> None:
    page = await review(asha)
    waiting = await page.submit("buy", card="new")
    href = waiting.html.xpath("//a[normalize-space()='Continue']/@href")[0]
    theirs = await asha.open(href.removeprefix("https://selfcare.test"))
    done = await theirs.submit("simpay-card", outcome=Outcome.APPROVES.value, holder="A PATEL")
    assert done.path.startswith("/orders/")
    assert "You now have" in done.text, done.text


async def test_what_was_given_up_takes_nothing_and_can_be_tried_again(app: Application, asha: Browser) -> None:
    page = await review(asha)
    waiting = await page.submit("buy", card="new")
    href = waiting.html.xpath("//a[normalize-space()='Continue']/@href")[0]
    theirs = await asha.open(href.removeprefix("https://selfcare.test"))
    await theirs.submit("simpay-card", outcome=Outcome.NO_FUNDS.value, holder="A PATEL")
    (order,) = await bought()
    assert order["state"] == "open"
    follow = await asha.open(f"/orders/{order['id']}")
    payment = await asha.open(follow.html.xpath("//a[normalize-space()='Follow the payment']/@href")[0])
    await asha.post(f"{payment.path}/cancel", {"csrf": payment.field("csrf").value})
    await app.catch_up()
    over = await asha.open(f"/orders/{order['id']}")
    assert "Nothing was taken" in over.text
    assert over.has_link(f"/topup/{await mobile()}/review")
    assert await fetch(GRANTS.bind(orders=[order["id"]])) == []


async def test_credit_pays_for_an_allowance_but_not_for_credit(asha: Browser) -> None:
    await give_credit(1_000)
    page = await review(asha)
    await page.submit("buy", card="credit")
    (order,) = await bought()
    assert order["state"] == "delivered"
    money_page = await review(asha, catalogue.CREDIT_10)
    assert not money_page.html.xpath("//input[@name='card'][@value='credit']")
    assert (await money_page.submit("buy", card="credit")).status == 422
    assert len(await bought()) == 1


async def test_a_card_that_never_paid_asks_who_it_is_and_goes_on_with_the_same_form(asha: Browser) -> None:
    await change(STALE, at=clock.now() - timedelta(hours=1))
    page = await review(asha)
    asked = await page.submit("buy")
    assert asked.path.startswith("/sign-in/prove")
    assert await bought() == []
    kept = await asked.submit(asked.html.xpath("//form[.//input[@name='password']]/@id")[0], password=people.PASSWORD)
    await kept.submit(kept.html.xpath("//form[contains(@action, '/topup/')]/@id")[0])
    assert [order["state"] for order in await bought()] == ["delivered"]
    # Now the card has paid once: the next purchase asks nothing.
    await change(STALE, at=clock.now() - timedelta(hours=1))
    assert (await (await review(asha)).submit("buy")).path.startswith("/orders/")
    # But beyond fifty pounds a day it asks again.
    more = await (await review(asha, catalogue.CREDIT_ANY, "40")).submit("buy")
    assert more.path.startswith("/sign-in/prove")
    assert len(await bought()) == 2


async def give_credit(minor: int) -> None:
    """From us, as staff give it."""
    amount = Money(minor, "GBP")
    entries = ledger.move(amount, to=Account(Kind.GOODWILL, "GBP"), out_of=Account(Kind.CREDIT, "GBP", people.PATEL.id))
    async with transaction():
        await ledger.post(Journal(f"goodwill:{clock.now()}", "goodwill", entries, people.PATEL.id))


async def test_what_does_not_go_with_an_add_on_there_is_not_sold_and_what_needs_it_is(
    app: Application, asha: Browser
) -> None:
    line = await mobile()
    await change("UPDATE product SET requires = :slugs WHERE id = :id", slugs=EUROPE, id=catalogue.DATA_5.id)
    assert "does not fit this service" in (await review(asha)).text
    addon = next(sold for sold in catalogue.ADDONS if sold.slug == "roaming-europe")
    await (await asha.open(f"/addons/{line}/review?product={addon.id}")).submit("buy")
    clock.travel_by(timedelta(seconds=10))
    await app.catch_up()
    assert (await review(asha)).status == 200
    await change("UPDATE product SET excludes = :slugs WHERE id = :id", slugs=EUROPE, id=catalogue.DATA_5.id)
    assert "does not go with “Europe Roaming”" in (await review(asha)).text


async def test_more_for_a_service_that_does_not_renew_lasts_until_it_ends(chidi: Browser) -> None:
    page = await chidi.open(f"/topup/{people.CHIDI_MOBILE}")
    (path,) = page.html.xpath("//main//a[contains(normalize-space(), '10 GB extra data')]/@href")
    assert "At your usual pace it then lasts until it ends, on 29 Nov 2026." in (await chidi.open(path)).text
