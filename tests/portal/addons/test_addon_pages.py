"""Buying an add-on as the customer sees it, what becomes of it, and removing it again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters import provisioning_embedded as network
from selfcare.adapters.provisioning_embedded import Behaviour
from selfcare.app import Application
from selfcare.db import engine
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import catalogue, people
from selfcare.demo.catalogue import Sold
from selfcare.demo.renewals import Renewals
from selfcare.kernel import clock
from selfcare.kernel.money import Money
from selfcare.portal.addons import ending
from selfcare.ports.charging import Use
from tests.portal.addons import racing
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to
from tests.support.processes import together
from tests.support.shopping import check_all

SERVICES = Prepared.sql(
    "SELECT id FROM service WHERE customer_id = :id AND state = 'active' AND type = :type ORDER BY name"
)
ORDERS = Prepared.sql("SELECT id, state, price_minor, name FROM purchase_order WHERE customer_id = :id ORDER BY id")
TAKEN_OFF = Prepared.sql("SELECT what FROM provisioning_job WHERE action = 'remove' ORDER BY started_at, id")
EXTRAS = Prepared.sql(
    "SELECT id, name, price_minor, ends_at, taken_off_at FROM service_addon WHERE customer_id = :id ORDER BY id"
)
CHARGES = Prepared.sql(
    """
    SELECT amount_minor + tax_minor AS gross FROM billing_transaction
     WHERE customer_id = :id AND description = :name AND kind = 'charge'
    """,
    types={"gross": int},
)
GRANTS = Prepared.sql("SELECT id FROM allowance_grant WHERE order_id IN :orders")
PRICE = Prepared.sql("UPDATE product SET price_minor = :price, version = version + 1 WHERE id = :id")
WITHDRAW = Prepared.sql("UPDATE product SET enabled = :no WHERE id = :id")
SUSPEND = Prepared.sql("UPDATE service SET state = 'suspended', suspend_reason = 'staff' WHERE id = :id")
SOLD = {sold.slug: sold for sold in catalogue.ADDONS}
STREAM, EUROPE, WORLD = SOLD["stream-plus"], SOLD["roaming-europe"], SOLD["roaming-world-7"]
ROUTER, BOOST, STATIC_IP = SOLD["router-wifi-6"], SOLD["speed-boost-3"], SOLD["static-ip"]
HOME = people.PATEL


async def line(kind_of: str = "mobile") -> UUID:
    return (await fetch(SERVICES.bind(id=HOME.id, type=kind_of)))[0]["id"]


async def review(browser: Browser, product: Sold = STREAM) -> Page:
    return await browser.open(f"/addons/{await line(product.type)}/review?product={product.id}")


async def bought() -> list[dict[str, object]]:
    return await fetch(ORDERS.bind(id=HOME.id))


async def extras() -> list[dict[str, object]]:
    return await fetch(EXTRAS.bind(id=HOME.id))


async def set_up(app: Application) -> None:
    """The network needs some seconds for it."""
    clock.travel_by(timedelta(seconds=10))
    await app.catch_up()


async def buy(app: Application, browser: Browser, product: Sold, **fields: str) -> Page:
    page = await (await review(browser, product)).submit("buy", **fields)
    await set_up(app)
    return page


async def test_an_add_on_is_reviewed_paid_set_up_and_then_runs_on_the_service(app: Application, asha: Browser) -> None:
    shelf = await asha.open(f"/addons/{await line('internet')}")
    page = await asha.open(shelf.html.xpath(f"//*[@id='offer-{STATIC_IP.id}']//a[contains(@href, 'review')]/@href")[0])
    assert "£9.00" in page.text
    assert "Set-up, once" in page.text
    assert "from 22 Dec 2026, on your bill" in page.text
    order = await page.submit("buy")
    assert "Adding…" in order.text
    await set_up(app)
    assert [(one["state"], one["price_minor"]) for one in await bought()] == [("delivered", 900)]
    shelf = await asha.open(f"/addons/{await line('internet')}")
    assert "£4.00 a month, next on 22 Dec 2026" in shelf.text
    assert not shelf.html.xpath(f"//*[@id='offer-{STATIC_IP.id}']")
    service = await asha.open(f"/services/{await line('internet')}")
    assert "Static IP address" in service.text
    assert "a month with its add-ons" in service.text
    assert [mail for mail in await mails_to(app, "asha@example.test") if "Static IP address" in mail.text]


async def test_its_allowance_is_put_in_once(app: Application, asha: Browser) -> None:
    await buy(app, asha, EUROPE)
    (order,) = await bought()
    assert len(await fetch(GRANTS.bind(orders=[order["id"]]))) == 2


async def test_each_later_month_is_charged_at_the_promised_price(app: Application, asha: Browser) -> None:
    await buy(app, asha, EUROPE)
    clock.travel_by(timedelta(days=62))
    await Renewals(app.ports.charging).renew_extras(clock.now())
    await Renewals(app.ports.charging).renew_extras(clock.now())
    assert [row["gross"] for row in await fetch(CHARGES.bind(id=HOME.id, name=EUROPE.name))] == [600, 600]


async def test_what_the_network_refuses_is_refunded_by_itself(app: Application, asha: Browser) -> None:
    await network.behave(Behaviour.FAILS)
    await buy(app, asha, STREAM)
    await app.catch_up()
    (order,) = await bought()
    assert order["state"] == "refunded"
    assert await extras() == []
    assert "Your money has been given back." in (await asha.open(f"/orders/{order['id']}")).text
    assert [mail for mail in await mails_to(app, "asha@example.test") if "Stream Plus" in mail.text]


async def test_while_the_network_is_at_it_nothing_is_refunded_and_after_ten_minutes_somebody_looks(
    app: Application, asha: Browser
) -> None:
    await network.behave(Behaviour.SLOW)
    await buy(app, asha, STREAM)
    assert (await bought())[0]["state"] == "delivering"
    clock.travel_by(timedelta(minutes=11))
    await app.catch_up()
    assert (await bought())[0]["state"] == "review"


async def test_an_answer_that_is_lost_is_never_a_refund(app: Application, asha: Browser) -> None:
    await network.behave(Behaviour.UNKNOWN)
    await buy(app, asha, STREAM)
    clock.travel_by(timedelta(hours=1))
    await app.catch_up()
    assert (await bought())[0]["state"] == "review"
    assert await extras() == []


async def test_a_price_that_changed_meanwhile_is_shown_and_not_charged(asha: Browser) -> None:
    page = await review(asha)
    await change(PRICE, id=STREAM.id, price=599)
    again = await page.submit("buy")
    assert again.status == 409
    assert "The price has changed to £5.99 meanwhile. Nothing was charged." in again.text
    assert await bought() == []
    await again.submit("buy")
    assert [order["price_minor"] for order in await bought()] == [599]


async def test_one_that_is_withdrawn_meanwhile_is_refused(asha: Browser) -> None:
    page = await review(asha)
    await change(WITHDRAW, id=STREAM.id, no=False)
    refused = await page.submit("buy")
    assert refused.status == 409
    assert "no longer on sale" in refused.text
    assert await bought() == []


async def test_one_that_is_for_another_kind_of_service_is_refused(asha: Browser) -> None:
    refused = await asha.open(f"/addons/{await line('mobile')}/review?product={STATIC_IP.id}")
    assert refused.status == 409
    assert "does not fit this service" in refused.text


async def test_a_suspended_service_takes_none(asha: Browser) -> None:
    page = await review(asha)
    await change(SUSPEND, id=await line())
    refused = await page.submit("buy")
    assert refused.status == 409
    assert "suspended" in refused.text
    assert await bought() == []


async def test_somebody_elses_service_is_not_there(asha: Browser, chidi: Browser) -> None:
    assert (await chidi.open(f"/addons/{await line()}")).status == 404
    assert (await chidi.open(f"/addons/{await line()}/review?product={STREAM.id}")).status == 404


@pytest.mark.parametrize(("product", "status"), [("x", 200), ("00000000-0000-0000-0000-000000000000", 404)])
async def test_a_product_that_is_none_is_no_mishap(asha: Browser, product: str, status: int) -> None:
    assert (await asha.open(f"/addons/{await line()}/review?product={product}")).status == status


async def test_what_it_replaces_is_asked_first_and_ends_when_it_is_there(app: Application, asha: Browser) -> None:
    await buy(app, asha, EUROPE)
    page = await review(asha, WORLD)
    assert "with your first use of it abroad" in page.text
    assert "7 days after it begins unused, on 20 Feb 2027" in page.text
    assert "It replaces Europe Roaming" in page.text
    assert "What is paid for it until 22 Dec 2026 is not given back" in page.text
    refused = await page.submit("buy")
    assert refused.status == 422
    assert "Say yes to the replacement" in refused.text
    await (await review(asha, WORLD)).submit("buy", replace="yes")
    await set_up(app)
    first, second = await extras()
    assert (first["name"], second["name"]) == (EUROPE.name, WORLD.name)
    assert first["ends_at"] <= clock.now()
    assert "Instead of" in (await asha.open(f"/orders/{(await bought())[1]['id']}")).text


async def test_a_pass_waits_for_its_first_use_abroad_and_runs_from_then(app: Application, asha: Browser) -> None:
    await buy(app, asha, WORLD)
    service, words = await line(), "Starts when you first use it abroad"
    for path in (f"/addons/{service}", f"/services/{service}", f"/usage/{service}"):
        assert f"{words}, then lasts 7 days; unused, it ends on 20 Feb 2027" in (await asha.open(path)).text
    clock.travel_by(timedelta(days=20))
    at = clock.now() - timedelta(minutes=1)
    use = Use(id="abroad", service=str(service), kind="data", amount=10**6, at=at, class_="roaming", country="JP")
    assert (await app.ports.charging.take([use])).counted == 1
    (held,) = await extras()
    assert held["ends_at"] == at + timedelta(days=7)
    await asha.sign_in(people.ASHA.email)
    usage = (await asha.open(f"/usage/{service}")).text
    assert words not in usage
    assert "ends 19 Dec 2026" in usage
    assert words not in (await asha.open(f"/addons/{service}")).text


async def test_a_waiting_pass_that_was_replaced_does_not_begin_again(app: Application, asha: Browser) -> None:
    await buy(app, asha, WORLD)
    await buy(app, asha, EUROPE, replace="yes")
    at = clock.now()
    uses = [Use(id="abroad", service=str(await line()), kind="data", amount=11 * 10**9, at=at, class_="roaming")]
    assert (await app.ports.charging.take(uses)).counted == 1
    assert (await extras())[0]["ends_at"] <= at


async def test_of_two_processes_at_once_only_one_buys_what_is_not_repeatable(app: Application, asha: Browser) -> None:
    asked = (engine.database().url, await line(), STREAM.id, Money(STREAM.price, "GBP"))
    said = await together(racing.race, asked, asked)
    assert sorted(word for each in said for word in each) == ["bought"] + ["refused"] * 5
    await set_up(app)
    assert len(await bought()) == len(await extras()) == 1
    await check_all()


async def test_the_same_button_twice_is_one_order(asha: Browser) -> None:
    page = await review(asha)
    await page.submit("buy")
    await page.submit("buy")
    assert len(await bought()) == 1


async def test_removing_ends_it_with_the_month_that_is_paid_and_can_be_undone(app: Application, asha: Browser) -> None:
    await buy(app, asha, STREAM)
    (held,) = await extras()
    shelf = f"/addons/{await line()}"
    page = await asha.open(f"{shelf}/held/{held['id']}/remove")
    assert "It goes on until 22 Dec 2026" in page.text
    after = await page.submit("remove")
    assert "ends 22 Dec 2026" in after.text
    undo = after.html.xpath("//form[contains(@action, '/keep')]/@action")[0]
    await asha.post(undo, {"csrf": await asha.csrf()})
    assert (await extras())[0]["ends_at"] is None


async def test_inside_a_minimum_term_the_fee_of_leaving_stands_first_and_is_what_is_agreed_to(
    app: Application, asha: Browser
) -> None:
    await buy(app, asha, ROUTER)
    (held,) = await extras()
    page = await asha.open(f"/addons/{await line('internet')}/held/{held['id']}/remove")
    assert "£33.00" in page.html.xpath("//main//section")[0].xpath("string(.)")[:40]
    assert "Its minimum term runs until 22 Nov 2027" in page.text
    assert "It goes back to us" in page.text
    changed = await page.submit("remove", fee="3600")
    assert changed.status == 409
    assert "Leaving costs £33.00 by now. Nothing was changed." in changed.text
    assert (await extras())[0]["ends_at"] is None
    await changed.submit("remove")
    assert f"{(await extras())[0]['ends_at']:%Y-%m-%d}" == "2027-11-22"


async def take_off(app: Application) -> list[str]:
    """What the network was told to take off, after it was told."""
    await ending.take_off(app.ports.provisioning)
    return [row["what"] for row in await fetch(TAKEN_OFF.bind())]


async def test_the_network_is_told_once_when_a_removed_add_on_ends(app: Application, asha: Browser) -> None:
    await buy(app, asha, STREAM)
    (held,) = await extras()
    await (await asha.open(f"/addons/{await line()}/held/{held['id']}/remove")).submit("remove")
    assert await take_off(app) == []
    clock.travel_by(timedelta(days=31))
    assert await take_off(app) == [STREAM.name]
    clock.travel_by(timedelta(minutes=1))
    for _again in range(2):
        assert await take_off(app) == [STREAM.name]
    assert (await extras())[0]["taken_off_at"] == clock.now()


async def test_a_removal_that_failed_at_the_network_is_begun_anew_and_staff_see_it(
    app: Application, asha: Browser, admin: Browser
) -> None:
    await buy(app, asha, EUROPE)
    await (await review(asha, WORLD)).submit("buy", replace="yes")
    await set_up(app)
    await network.behave(Behaviour.FAILS)
    for _each in ("begun", "failed"):
        await ending.take_off(app.ports.provisioning)
        clock.travel_by(timedelta(minutes=11))
    assert "Europe Roaming" in (await admin.open("/staff/orders")).text
    await network.behave(Behaviour.WORKS)
    assert await take_off(app) == [EUROPE.name] * 2
    clock.travel_by(timedelta(minutes=11))
    await take_off(app)
    assert [row["taken_off_at"] is not None for row in await extras()] == [True, False]


async def test_what_was_refunded_can_be_tried_again(app: Application, asha: Browser) -> None:
    await network.behave(Behaviour.FAILS)
    await buy(app, asha, STREAM)
    page = await asha.open(f"/orders/{(await bought())[0]['id']}")
    (again,) = page.html.xpath("//main//a[normalize-space()='Try again']/@href")
    assert (await asha.open(again)).html.xpath("//form[@id='buy']")


async def test_the_list_of_services_counts_what_runs_beside_the_plan(app: Application, asha: Browser) -> None:
    await buy(app, asha, EUROPE)
    card = (await asha.open("/services")).html.xpath(f"//*[@id='service-{await line()}']")[0].xpath("string(.)")
    assert "£18.00" in card
    assert "with add-ons for £6.00" in card


async def test_one_boost_runs_at_a_time_and_a_later_one_can_be_chosen(app: Application, asha: Browser) -> None:
    await buy(app, asha, BOOST)
    assert "2 days left" in (await asha.open(f"/addons/{await line('internet')}")).text
    refused = await (await review(asha, BOOST)).submit("buy")
    assert refused.status == 409
    assert "choose a later start" in refused.text
    await buy(app, asha, BOOST, start="later", on="2026-12-01")
    assert len(await extras()) == 2
    assert "begins 1 Dec 2026" in (await asha.open(f"/addons/{await line('internet')}")).text


@pytest.mark.parametrize("day", ["", "x", "2026-11-01", "2027-06-01", "9999-12-31", "0001-01-01"])
async def test_a_start_that_is_none_or_too_far_away_is_refused_beside_its_field(asha: Browser, day: str) -> None:
    refused = await (await review(asha, BOOST)).submit("buy", start="later", on=day)
    assert refused.status == 422
    assert refused.error("on")
    assert await bought() == []
