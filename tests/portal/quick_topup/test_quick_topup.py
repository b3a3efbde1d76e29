"""A number topped up without signing in: paid by a guest, put in for the owner, and nothing told to either of both."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest

from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db import engine
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.identity import limits
from selfcare.identity.text_codes import WrongCode
from selfcare.kernel import clock
from selfcare.kernel.origin import Origin
from selfcare.portal.orders import stuck
from selfcare.portal.orders.days import Topups
from selfcare.portal.orders.order import Order
from selfcare.portal.orders.outcome import UNKNOWN, Outcome
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments
from selfcare.portal.pay.guests import strangers
from selfcare.portal.quick_topup import buying, visits
from selfcare.portal.services import addresses
from selfcare.portal.services.addresses import Lease
from tests.portal.quick_topup import racing
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import link_in, mails_to
from tests.support.money import ORIGIN
from tests.support.papers import read_paper
from tests.support.processes import together
from tests.support.shopping import check_all
from tests.support.site import running, settings_for

NUMBER, EMAIL, PAYER = people.FREY_PHONE, "aunt@example.test", "Mary O'Neill"
SERVICE = people.fixed("service/otto/mobile")
ORDERS = Prepared.sql("SELECT id, customer_id, asked_by, state, name, price_minor FROM purchase_order")
CREDIT = Prepared.sql(
    "SELECT COALESCE(SUM(remaining), 0) AS n FROM bucket WHERE service_id = :id AND kind = 'money'", types={"n": int}
)
ENDS = Prepared.sql("SELECT ends_at FROM service WHERE id = :id")
SUSPEND = Prepared.sql("UPDATE service SET state = 'suspended', suspend_reason = :why WHERE id = :id")
OFF_SALE = Prepared.sql("UPDATE product SET enabled = :no WHERE slug = 'credit-10'")
PRICE = Prepared.sql("UPDATE product SET price_minor = 1100, version = version + 1 WHERE slug = 'credit-10'")
FREE = Prepared.sql("UPDATE product SET price_minor = 0 WHERE slug = 'credit-10'")
PRODUCT = Prepared.sql("SELECT id FROM product WHERE slug = :slug")


async def ask(browser: Browser, number: str = NUMBER) -> Page:
    return await (await browser.open("/quick-topup")).submit("number-form", phone=number)


async def code(app: Application, number: str = NUMBER) -> str:
    found = re.search(r"\b\d{6}\b", (await mails_to(app, number))[-1].text)
    assert found
    return found[0]


async def proved(app: Application, browser: Browser, number: str = NUMBER) -> Page:
    page = await ask(browser, number)
    return await page.submit("code-form", code=await code(app, number))


async def look_at(browser: Browser, slug: str = "credit-10", **more: str) -> Page:
    product = (await fetch(PRODUCT.bind(slug=slug)))[0]["id"] if slug != "days" else slug
    query = "&".join(f"{name}={value}" for name, value in {"product": product, **more}.items())
    return await browser.open(f"/quick-topup/review?{query}")


async def pay(browser: Browser, page: Page, choice: str = "") -> Page:
    """On the gateway's page, by the card that is asked for, else the first."""
    bank = await browser.open(page.html.xpath("//a[text()='Continue']/@href")[0])
    choices = bank.html.xpath("//input[@name='outcome']/@value")
    return await bank.submit("simpay-card", outcome=choice or choices[0])


async def credit() -> int:
    return int((await fetch(CREDIT.bind(id=SERVICE)))[0]["n"])


async def ends_at() -> datetime:
    at: datetime = (await fetch(ENDS.bind(id=SERVICE)))[0]["ends_at"]
    return at


async def test_credit_is_bought_by_a_guest_and_put_in(app: Application, visitor: Browser) -> None:
    before = await credit()
    shelf = await proved(app, visitor)
    assert shelf.path == "/quick-topup/choose"
    assert not {"Otto", "Frey", "Prepaid"} & set(re.findall(r"\w+", shelf.text))
    page = await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL)
    assert page.path == "/quick-topup/order"
    ready = await pay(visitor, page)
    assert (ready.path, await credit()) == ("/quick-topup/order", before + 1000)
    assert "Ready to use" in ready.text
    order = (await fetch(ORDERS.bind()))[0]
    assert (order["customer_id"], order["asked_by"], order["state"]) == (people.FREY.id, None, "delivered")
    receipt = await visitor.open("/quick-topup/order/receipt")
    assert receipt.headers["content-type"] == "application/pdf"
    await check_all()


async def test_the_receipt_leads_back_to_the_life_line_from_any_browser(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    await pay(visitor, await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL))
    other = Browser(app, name="another")
    page = await other.open(await link_in(app, EMAIL, "Receipt"))
    assert (page.path, page.status) == ("/quick-topup/order", 200)
    assert "£10 credit" in page.text
    receipt = (await mails_to(app, EMAIL))[-1].text
    assert PAYER in receipt
    assert "900350" not in page.text + receipt
    await other.close()


async def test_days_move_the_end_of_the_line(app: Application, visitor: Browser) -> None:
    before = await ends_at()
    await proved(app, visitor)
    page = await look_at(visitor, "days", days="7", slider="3")
    assert "£70.00" in page.text
    await pay(visitor, await page.submit("buy", payer=PAYER, email=EMAIL))
    assert await ends_at() == before + timedelta(days=7)
    await check_all()


async def test_the_slider_counts_where_nothing_is_typed(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    assert "£30.00" in (await look_at(visitor, "days", days="", slider="3")).text


async def test_the_owner_is_told_and_sees_the_order_but_not_who_paid(app: Application, visitor: Browser) -> None:
    await proved(app, visitor, people.CHIDI.phone)
    await pay(visitor, await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL))
    told = [mail for mail in await mails_to(app, people.CHIDI.email) if "£10 credit was added" in mail.subject]
    assert len(told) == 1
    assert not [mail for mail in await mails_to(app, people.CHIDI.email) if "Receipt" in mail.subject]
    owner = Browser(app, name="chidi")
    await owner.sign_in(people.CHIDI.email)
    orders = await owner.open("/orders")
    order = await owner.open(orders.html.xpath("//a[starts-with(@href, '/orders/')]/@href")[0])
    paid = await owner.open(order.html.xpath("//a[starts-with(@href, '/pay/')]/@href")[0])
    seen = orders.text + order.text + paid.text + (await owner.open("/activity")).text
    assert not {"aunt", "Mary", "Visa", "Mastercard", "4242"} & set(re.findall(r"\w+", seen))
    await owner.close()


async def test_the_owner_neither_pays_nor_stops_nor_gets_a_receipt_for_what_a_guest_pays(
    app: Application, visitor: Browser
) -> None:
    await proved(app, visitor, people.CHIDI.phone)
    page = await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL)
    owner = Browser(app, name="chidi")
    await owner.sign_in(people.CHIDI.email)
    order = (await fetch(ORDERS.bind()))[0]
    payment = await payments.find_open(people.OKORO.id, order["id"])
    assert payment is not None
    assert payment.action_url
    for path in (f"/orders/{order['id']}", f"/pay/{payment.id}"):
        seen = await owner.open(path)
        assert payment.action_url not in str(seen.html.xpath("//a/@href"))
        assert "Look again" in seen.text
    stop = await owner.post(f"/pay/{payment.id}/cancel", {"csrf": await owner.csrf("/orders")})
    assert stop.status == 404
    await pay(visitor, page)
    assert (await owner.open(f"/pay/{payment.id}/receipt")).status == 404
    assert "Ask for a refund" not in (await owner.open(f"/pay/{payment.id}")).text
    await owner.close()


async def test_a_delivery_that_fails_for_good_gives_the_money_back_and_tells_the_guest(
    app: Application, visitor: Browser
) -> None:
    await proved(app, visitor)
    page = await (await look_at(visitor, "days", days="2")).submit("buy", payer=PAYER, email=EMAIL)
    await change(SUSPEND, id=SERVICE, why="staff")
    await pay(visitor, page)
    await app.catch_up()
    assert [order["state"] for order in await fetch(ORDERS.bind())] == ["refunded"]
    subjects = [mail.subject for mail in await mails_to(app, EMAIL)]
    assert sum("could not be carried out" in subject for subject in subjects) == 1
    assert sum("on its way back to your card" in subject for subject in subjects) == 1
    page = await visitor.open("/quick-topup/order")
    assert "Your money has been given back." in page.text
    (number,) = re.findall(r"CN-[0-9]{4}-[0-9]{6}", page.text)
    assert sum(number in subject for subject in subjects) == 1
    for paper in ("credit-note", "receipt"):
        body = (await visitor.open(f"/quick-topup/order/{paper}")).answer.content
        assert PAYER in read_paper(body)
    owner = Browser(app, name="asha")
    await owner.sign_in(people.ASHA.email)
    assert number not in (await owner.open("/billing/invoices")).text
    await owner.close()
    await check_all()


async def test_a_guest_whose_order_waited_for_somebody_hears_when_it_is_there(
    app: Application, visitor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_heard(_self: Topups, _order: Order) -> Outcome:
        return UNKNOWN

    await proved(app, visitor)
    page = await (await look_at(visitor, "days", days="2")).submit("buy", payer=PAYER, email=EMAIL)
    with monkeypatch.context() as patched:
        patched.setattr(Topups, "deliver", nothing_heard)
        patched.setattr(Topups, "look", nothing_heard)
        await pay(visitor, page)
        await app.catch_up()
        clock.travel_by(timedelta(hours=2))
        await app.catch_up()
    (order,) = await fetch(ORDERS.bind())
    assert order["state"] == "review"
    assert "We tell you by mail" in (await visitor.open("/quick-topup/order")).text
    shop = Shop.of(app.ports, app.site.settings)
    await stuck.try_again(shop, audit.system(customer_id=order["customer_id"]), order["id"], "It answers again")
    await app.catch_up()
    assert [order["state"] for order in await fetch(ORDERS.bind())] == ["delivered"]
    assert sum("is there" in mail.subject for mail in await mails_to(app, EMAIL)) == 1
    await check_all()


async def test_numbers_of_nobody_and_of_ours_read_the_same(app: Application) -> None:
    answers = []
    for number in (NUMBER, "+447700900999"):
        browser = Browser(app, name=number)
        page = await ask(browser, number)
        wrong = await page.submit("code-form", code="000000")
        answers.append((page.status, page.path, page.text, wrong.status, wrong.error("code"), wrong.text))
        await browser.close()
    assert answers[0] == answers[1]
    assert "If that number is with us" in answers[0][2]
    assert await mails_to(app, "+447700900999") == []


async def test_no_code_opens_a_number_of_nobody(app: Application, visitor: Browser) -> None:
    token = await visits.ask("+447700900999", ORIGIN, key=app.site.settings.keys.link, jobs=app.ports.jobs)
    id = strangers.visit_in(token, app.site.settings.keys.link)
    assert id is not None
    with pytest.raises(WrongCode):
        right = visits.CODES.code_for(id.hex, app.site.settings.keys.link)
        await visits.prove(token, right, ORIGIN, key=app.site.settings.keys.link)


async def test_nothing_opens_before_the_code(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    for path in ("/quick-topup/choose", "/quick-topup/review?product=days&days=1"):
        assert (await visitor.open(path)).path == "/quick-topup"
    assert (await visitor.open("/quick-topup/order")).status == 404


async def test_five_wrong_codes_end_the_visit_and_five_numbers_an_hour_the_address(
    app: Application, visitor: Browser
) -> None:
    page = await ask(visitor)
    for _n in range(5):
        assert "That code is wrong" in (await page.submit("code-form", code="000000")).error("code")
    assert "Start again" in (await page.submit("code-form", code=await code(app))).text
    for _n in range(4):
        await ask(visitor)
    assert (await ask(visitor)).status == 429


async def test_an_altered_token_opens_nothing(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    await pay(visitor, await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL))
    link = await link_in(app, EMAIL, "Receipt")
    stranger = Browser(app, name="stranger")
    assert (await stranger.open(link[:-1] + ("0" if link[-1] != "0" else "1"))).status == 404
    await stranger.close()


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "31", "x", ""])
async def test_bad_days_are_refused_beside_the_field(app: Application, visitor: Browser, days: str) -> None:
    await proved(app, visitor)
    page = await look_at(visitor, "days", days=days)
    assert (page.status, page.error("days")) == (422, "Error: Choose from 1 to 30 days.")


async def test_bad_amounts_are_refused_beside_the_field(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    for amount in ("0", "-5", "5.001", "100.01", "1e3", ""):
        page = await look_at(visitor, "credit", amount=amount)
        assert (page.status, page.field("amount").value) == (422, amount)
        assert page.error("amount")


async def test_a_bad_address_is_refused_and_kept(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    page = await (await look_at(visitor)).submit("buy", payer="x" * 101, email="aunt")
    assert (page.status, page.field("email").value, page.field("payer").value) == (422, "aunt", "x" * 101)
    assert "at most 100" in page.error("payer")
    assert await fetch(ORDERS.bind()) == []


async def test_a_price_that_changed_is_shown_again(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    page = await look_at(visitor)
    await change(PRICE)
    again = await page.submit("buy", payer=PAYER, email=EMAIL)
    assert (again.status, await fetch(ORDERS.bind())) == (409, [])
    assert "The price has changed to £11.00" in again.text
    assert (again.field("email").value, again.field("payer").value) == (EMAIL, PAYER)
    assert (await again.submit("buy")).path == "/quick-topup/order"


async def test_what_is_off_sale_or_for_a_suspended_line_is_refused_in_neutral_words(
    app: Application, visitor: Browser
) -> None:
    await proved(app, visitor)
    page = await look_at(visitor)
    await change(OFF_SALE, no=False)
    gone = await page.submit("buy", payer=PAYER, email=EMAIL)
    await change(SUSPEND, id=SERVICE, why="fraud")
    refused = await look_at(visitor, "data-5")
    for answer in (gone, refused):
        assert answer.status == 409
        assert "This cannot be added to this number now. Nothing was charged." in answer.text
    assert "suspended" not in refused.text
    assert "Nothing can be added to this number here" in refused.text
    assert await fetch(ORDERS.bind()) == []


async def test_what_costs_nothing_is_not_given_to_guests(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    page = await look_at(visitor)
    await change(FREE)
    refused = await page.submit("buy", payer=PAYER, email=EMAIL)
    assert (refused.status, await fetch(ORDERS.bind())) == (409, [])
    assert "£0.00" not in refused.text


async def test_the_proof_ends_after_half_an_hour(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    page = await look_at(visitor)
    clock.travel_by(timedelta(minutes=31))
    assert (await page.submit("buy", payer=PAYER, email=EMAIL)).path == "/quick-topup"
    assert await fetch(ORDERS.bind()) == []


async def test_the_same_form_twice_and_two_forms_of_one_visit_are_one_order(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    page, other = await look_at(visitor), await look_at(visitor, "data-5")
    for form in (page, page, other):
        assert (await form.submit("buy", payer=PAYER, email=EMAIL)).path == "/quick-topup/order"
    assert [order["name"] for order in await fetch(ORDERS.bind())] == ["£10 credit"]


async def test_a_visit_that_has_bought_shows_its_order_and_no_shelf(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    await pay(visitor, await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL))
    assert (await look_at(visitor, "data-5")).path == "/quick-topup/order"
    assert (await visitor.open("/quick-topup/choose")).path == "/quick-topup/order"


async def test_what_was_given_up_can_be_bought_again_without_a_new_code(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    page = await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL)
    csrf = page.html.xpath("//input[@name='csrf']/@value")[0]
    await visitor.post("/quick-topup/order/cancel", {"csrf": csrf})
    assert "Nothing was taken" in (await visitor.open("/quick-topup/order")).text
    await pay(visitor, await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL))
    assert sorted(order["state"] for order in await fetch(ORDERS.bind())) == ["canceled", "delivered"]
    await check_all()


async def test_a_number_is_topped_up_here_five_times_a_day(app: Application, visitor: Browser) -> None:
    await proved(app, visitor)
    for _n in range(5):
        await limits.claim(buying.BY_SERVICE, str(SERVICE))
    page = await (await look_at(visitor)).submit("buy", payer=PAYER, email=EMAIL)
    assert (page.status, await fetch(ORDERS.bind())) == (409, [])
    assert "often today" in page.text


async def test_one_visit_in_two_processes_is_one_order(app: Application, visitor: Browser) -> None:
    key = app.site.settings.keys.link
    token = await visits.ask(NUMBER, ORIGIN, key=key, jobs=app.ports.jobs)
    id = strangers.visit_in(token, key)
    assert id is not None
    await visits.prove(token, visits.CODES.code_for(id.hex, key), ORIGIN, key=key)
    said = await together(racing.buy, *[(engine.database().url, token, 3)] * 2)
    assert len({order for some in said for order in some}) == 1
    assert len(await fetch(ORDERS.bind())) == 1
    await check_all()


async def test_the_line_of_an_address_is_offered_without_code_and_number(app: Application, visitor: Browser) -> None:
    assert "connected with" not in (await visitor.open("/quick-topup")).text
    told = await addresses.note([Lease(line=NUMBER, address="100.64.3.7"), Lease(line="+447700900999", address="::1")])
    assert told == {"+447700900999"}
    inside = Origin(address="100.64.3.7", device="test", request_id="R-TEST")
    key = app.site.settings.keys.link
    token = await visits.enter(inside, ["100.64.0.0/10"], key=key)
    assert token is not None
    door = await visits.door_of(token, key=key)
    assert door is not None
    assert (door.service_id, door.number) == (SERVICE, None)
    assert await visits.enter(inside, [], key=key) is None
    assert await addresses.line_at("100.64.3.8", ["100.64.0.0/10"]) is None
    clock.travel_by(timedelta(days=1))
    assert await addresses.line_at("100.64.3.7", ["100.64.0.0/10"]) is None


async def test_an_address_that_moved_on_is_another_lines(app: Application) -> None:
    await addresses.note([Lease(line=NUMBER, address="100.64.3.7")])
    await addresses.note([Lease(line=people.CHIDI.phone, address="100.64.3.7")])
    line = await addresses.line_at("100.64.3.7", ["100.64.0.0/10"])
    assert line is not None
    assert line.service_id == people.CHIDI_MOBILE
    await addresses.note([Lease(line=people.CHIDI.phone)])
    assert await addresses.line_at("100.64.3.7", ["100.64.0.0/10"]) is None


async def test_whoever_is_on_the_network_needs_no_code(demo_url: str) -> None:
    async with running(settings_for(demo_url, SELFCARE_SUBSCRIBER_RANGES="100.64.0.0/10")) as app:
        await addresses.note([Lease(line=NUMBER, address="100.64.3.7")])
        browser = Browser(app, name="inside", address="100.64.3.7")
        shelf = await (await browser.open("/quick-topup")).submit("here-form")
        assert (shelf.path, "900350" in shelf.text) == ("/quick-topup/choose", False)
        await pay(browser, await (await look_at(browser)).submit("buy", payer=PAYER, email=EMAIL))
        assert [order["state"] for order in await fetch(ORDERS.bind())] == ["delivered"]
        await browser.close()
