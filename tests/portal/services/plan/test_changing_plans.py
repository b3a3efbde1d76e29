"""Another plan as the customer sees it: at once and paid for, or when the period ends; each exactly once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from selfcare.adapters import provisioning_embedded as network
from selfcare.adapters.provisioning_embedded import Behaviour
from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import catalogue, people
from selfcare.demo.catalogue import FIBRE_500, LARK_5, LARK_20, LARK_60, LARK_UNLIMITED, Sold
from selfcare.demo.renewals import Renewals
from selfcare.kernel import clock, ids
from selfcare.kernel.money import Money
from selfcare.portal.orders import orders
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay import payments
from selfcare.portal.pay.payments import How
from selfcare.portal.pay.till import Till
from selfcare.portal.services.plan import scheduling
from tests.support import shopping
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to

MOBILE, INTERNET = people.ASHA_MOBILE, people.ASHA_INTERNET
PLAN = f"/services/{MOBILE}/plan"
SERVICE = Prepared.sql(
    "SELECT product_id, monthly_minor, name, next_product_id, contract_ends_on, ends_at FROM service WHERE id = :id"
)
ORDERS = Prepared.sql(
    "SELECT id, state, price_minor, name FROM purchase_order WHERE service_id = :id AND kind = 'plan'"
)
CHANGES = Prepared.sql("SELECT state, name FROM plan_change WHERE service_id = :id ORDER BY asked_at, id")
DATA = Prepared.sql(
    "SELECT remaining FROM bucket WHERE service_id = :id AND kind = 'data' AND origin = 'plan' AND scope = 'any'"
)
GRANTS = Prepared.sql("SELECT amount FROM allowance_grant WHERE order_id = :id")
HAPPENED = Prepared.sql(
    "SELECT event FROM audit_event WHERE about = :id AND event LIKE 'services.plan%' ORDER BY at, id"
)
CHARGED = Prepared.sql(
    """
    SELECT amount_minor + tax_minor AS minor FROM billing_transaction
     WHERE service_id = :id AND kind = 'charge' AND invoice_id IS NULL AND at >= :since ORDER BY at
    """,
    types={"minor": int},
)
CARD = Prepared.sql(
    "SELECT id FROM payment_method WHERE customer_id = :id AND removed_at IS NULL ORDER BY position LIMIT 1"
)
SET = {
    "price": Prepared.sql("UPDATE product SET price_minor = 1900, version = version + 1 WHERE id = :id"),
    "version": Prepared.sql("UPDATE product SET version = version + 1 WHERE id = :id"),
    "withdrawn": Prepared.sql("UPDATE product SET on_sale_until = :now, version = version + 1 WHERE id = :id"),
    "suspended": Prepared.sql("UPDATE service SET state = 'suspended', suspend_reason = 'staff' WHERE id = :id"),
    "ending": Prepared.sql("UPDATE service SET cancel_at = ends_at WHERE id = :id"),
    "not renewing": Prepared.sql("UPDATE service SET renews = :no WHERE id = :id"),
    "named": Prepared.sql("UPDATE service SET name = 'Home Fibre 80' WHERE id = :id"),
    "bound": Prepared.sql("UPDATE product SET min_term = 12 WHERE id = :id"),
}


async def put(what: str, id: object, **values: object) -> None:
    async with transaction():
        await execute(SET[what].bind(id=id, **values))


async def service(id: object = MOBILE) -> dict[str, Any]:
    return (await fetch(SERVICE.bind(id=id)))[0]


async def bought(id: object = MOBILE) -> list[dict[str, Any]]:
    return await fetch(ORDERS.bind(id=id))


async def waiting(id: object = MOBILE) -> list[tuple[str, str]]:
    return [(row["state"], row["name"]) for row in await fetch(CHANGES.bind(id=id))]


async def left() -> int:
    return sum(row["remaining"] for row in await fetch(DATA.bind(id=MOBILE)))


async def review(browser: Browser, to: Sold, id: object = MOBILE) -> Page:
    return await browser.open(f"/services/{id}/plan/review?product={to.id}")


async def set_up(app: Application) -> None:
    """The network needs some seconds for it."""
    clock.travel_by(timedelta(seconds=10))
    await app.catch_up()


async def choose(app: Application, browser: Browser, to: Sold, **fields: str) -> Page:
    page = await (await review(browser, to)).submit("plan-form", **fields)
    await set_up(app)
    return page


async def renewal(app: Application) -> None:
    """The day on which Asha's period ends, and what is due then."""
    clock.travel_by(timedelta(days=14))
    shop = Shop.of(app.ports, app.site.settings)
    await scheduling.carry_out_due(shop, clock.now())
    await Renewals(app.ports.charging).renew(clock.now())
    await set_up(app)
    await Renewals(app.ports.charging).renew(clock.now())


async def subjects(app: Application) -> list[str]:
    return [mail.subject for mail in await mails_to(app, "asha@example.test")]


async def test_a_dearer_plan_is_compared_paid_by_the_day_and_begins_at_once(app: Application, asha: Browser) -> None:
    service_page = await asha.open(f"/services/{MOBILE}")
    assert service_page.has_link(PLAN)
    shelf = await asha.open(PLAN)
    assert "£6.00 more" in shelf.by_id(f"plan-{LARK_60.id}").text_content()
    page = await asha.open(shelf.html.xpath(f"//*[@id='plan-{LARK_60.id}']//a/@href")[0])
    for words in ("Lark 20, 14 of 30 days not used", "−£5.60", "£8.40", "£2.80", "On top comes at once: Data 40"):
        assert words in page.text
    had = await left()
    order = await page.submit("plan-form")
    assert "Changing the plan…" in order.text
    assert (await service())["product_id"] == LARK_20.id
    await set_up(app)
    now = await service()
    assert (now["product_id"], now["monthly_minor"]) == (LARK_60.id, 1800)
    assert [(one["state"], one["price_minor"]) for one in await bought()] == [("delivered", 280)]
    assert await left() - had == 40 * catalogue.GB
    assert [row["event"] for row in await fetch(HAPPENED.bind(id=str(MOBILE)))] == ["services.plan_changed"]
    assert [row["minor"] for row in await fetch(CHARGED.bind(id=MOBILE, since=clock.now() - timedelta(hours=1)))] == [
        280
    ]
    assert "Lark 60 instead of Lark 20" in str(await subjects(app))
    await shopping.check_all()


async def test_the_next_period_costs_and_gives_what_the_new_plan_says(app: Application, asha: Browser) -> None:
    await choose(app, asha, LARK_60)
    before = clock.now() + timedelta(days=1)
    await renewal(app)
    assert await left() == 60 * catalogue.GB
    assert [row["minor"] for row in await fetch(CHARGED.bind(id=MOBILE, since=before))] == [1800]


async def test_it_is_switched_once_however_often_it_is_delivered(app: Application, asha: Browser) -> None:
    """Killed between the switch and the end of the order: all of it is done again by the same id."""
    await (await review(asha, LARK_60)).submit("plan-form")
    clock.travel_by(timedelta(seconds=10))
    (order,) = await bought()
    shop, had = Shop.of(app.ports, app.site.settings), await left()
    known = await orders.load(order["id"])
    for _time in range(2):
        await shop.deliverers[known.kind].deliver(known)
    await app.catch_up()
    assert [one["state"] for one in await bought()] == ["delivered"]
    assert await left() - had == 40 * catalogue.GB
    assert len(await fetch(HAPPENED.bind(id=str(MOBILE)))) == 1
    assert len(await fetch(CHANGES.bind(id=MOBILE))) == 1


async def test_of_two_at_once_one_is_bought(app: Application, asha: Browser) -> None:
    first, second = await review(asha, LARK_60), await review(asha, LARK_UNLIMITED)
    pages = await asyncio.gather(first.submit("plan-form"), second.submit("plan-form"))
    assert sorted(page.status for page in pages) == [200, 409]
    assert any("is finished" in page.text for page in pages)
    await set_up(app)
    assert [one["state"] for one in await bought()] == ["delivered"]


async def test_what_the_network_refuses_is_refunded_and_the_plan_stays(app: Application, asha: Browser) -> None:
    await network.behave(Behaviour.FAILS)
    had = await left()
    await choose(app, asha, LARK_60)
    await app.catch_up()
    (order,) = await bought()
    assert order["state"] == "refunded"
    now = await service()
    assert (now["product_id"], now["monthly_minor"], await left()) == (LARK_20.id, 1200, had)
    assert "Your money has been given back." in (await asha.open(f"/orders/{order['id']}")).text
    assert any("Lark 60" in subject for subject in await subjects(app))
    await shopping.check_all()


async def test_an_answer_that_is_lost_is_looked_up_and_then_a_person_looks(app: Application, asha: Browser) -> None:
    await network.behave(Behaviour.UNKNOWN)
    await choose(app, asha, LARK_60)
    clock.travel_by(timedelta(hours=1))
    await app.catch_up()
    assert [one["state"] for one in await bought()] == ["review"]
    assert (await service())["product_id"] == LARK_20.id
    await asha.sign_in("asha@example.test")
    assert "is finished" in (await asha.open(PLAN)).text


@pytest.mark.parametrize(("what", "words"), [("price", "£3.27 today, then £19.00"), ("version", "£2.80 today")])
async def test_what_changed_since_it_was_shown_is_shown_again_and_not_charged(
    asha: Browser, what: str, words: str
) -> None:
    page = await review(asha, LARK_60)
    await put(what, LARK_60.id)
    again = await page.submit("plan-form")
    assert again.status == 409
    assert words in again.text
    assert await bought() == []
    await again.submit("plan-form")
    assert len(await bought()) == 1


async def test_a_quote_of_yesterday_is_shown_again(asha: Browser) -> None:
    page = await review(asha, LARK_60)
    clock.travel_by(timedelta(minutes=12 * 60 + 1))
    await asha.sign_in("asha@example.test")
    again = await page.submit("plan-form", csrf=await asha.csrf())
    assert again.status == 409
    assert "13 of 30 days not used" in again.text
    assert await bought() == []


async def test_credit_pays_for_it_too(app: Application, asha: Browser) -> None:
    till, who = Till.of(app.ports, app.site.settings), audit.system(customer_id=people.PATEL.id)
    card = (await fetch(CARD.bind(id=people.PATEL.id)))[0]["id"]
    paid = await payments.pay_in(till, who, Money(500, "GBP"), How(request_key=ids.token(), card_id=card))
    assert paid.is_paid
    await (await review(asha, LARK_60)).submit("plan-form", card="credit")
    await set_up(app)
    assert [one["state"] for one in await bought()] == ["delivered"]
    await shopping.check_all()


async def test_a_minimum_term_of_the_new_plan_is_said_first_and_begins_anew(app: Application, asha: Browser) -> None:
    await put("named", INTERNET)
    page = await review(asha, FIBRE_500, INTERNET)
    assert "begins its minimum term anew: until 22 Nov 2027" in page.text
    await page.submit("plan-form")
    await set_up(app)
    now = await service(INTERNET)
    assert (now["product_id"], str(now["contract_ends_on"])) == (FIBRE_500.id, "2027-11-22")
    assert now["name"] == "Home Fibre 500"


async def test_a_cheaper_plan_waits_is_shown_and_begins_with_the_next_period(app: Application, asha: Browser) -> None:
    before = await left()
    page = await choose(app, asha, LARK_5)
    assert "It changes to Lark 5 on 6 Dec 2026" in page.text
    assert "It changes to Lark 5 on 6 Dec 2026" in (await asha.open(f"/services/{MOBILE}")).text
    assert "Changes to Lark 5 on 6 Dec 2026" in (await asha.open("/services")).text
    assert "changes to Lark 5 on 6 Dec 2026" in str(await subjects(app))
    assert ((await service())["product_id"], await left()) == (LARK_20.id, before)
    since = clock.now() + timedelta(days=1)
    await renewal(app)
    now = await service()
    assert (now["product_id"], now["monthly_minor"], now["next_product_id"]) == (LARK_5.id, 800, None)
    assert await left() == 5 * catalogue.GB
    assert [row["minor"] for row in await fetch(CHARGED.bind(id=MOBILE, since=since))] == [800]
    assert await waiting() == [("done", "Lark 5")]
    assert [(one["state"], one["price_minor"]) for one in await bought()] == [("delivered", 0)]


async def test_two_workers_carry_it_out_once(app: Application, asha: Browser) -> None:
    await choose(app, asha, LARK_5)
    clock.travel_by(timedelta(days=14))
    shop = Shop.of(app.ports, app.site.settings)
    begun = await asyncio.gather(*(scheduling.carry_out_due(shop, clock.now()) for _each in range(2)))
    assert sum(begun) == 1
    await set_up(app)
    assert [one["state"] for one in await bought()] == ["delivered"]


async def test_it_is_taken_back_until_then(app: Application, asha: Browser) -> None:
    page = await choose(app, asha, LARK_5)
    for _twice in range(2):
        await asha.post(f"{PLAN}/keep", {"csrf": await asha.csrf()})
    assert await waiting() == [("dropped", "Lark 5")]
    assert "It changes to" not in (await asha.open(PLAN)).text
    await renewal(app)
    assert (await service())["product_id"] == LARK_20.id
    assert "plan-form" not in page.text
    events = [row["event"] for row in await fetch(HAPPENED.bind(id=str(MOBILE)))]
    assert events == ["services.plan_change_asked", "services.plan_change_cancelled"]


async def test_a_second_one_takes_the_place_of_the_first(app: Application, asha: Browser) -> None:
    await choose(app, asha, LARK_UNLIMITED)
    await choose(app, asha, LARK_20)
    await choose(app, asha, LARK_5)
    assert sorted(await waiting()) == [("done", "Lark Unlimited"), ("dropped", "Lark 20"), ("waiting", "Lark 5")]


async def test_an_upgrade_drops_the_one_that_waits_once_it_is_there(app: Application, asha: Browser) -> None:
    await choose(app, asha, LARK_5)
    page = await review(asha, LARK_60)
    assert "the change to Lark 5 on 6 Dec 2026, which is dropped" in page.text
    await page.submit("plan-form")
    assert ("waiting", "Lark 5") in await waiting()
    await set_up(app)
    assert sorted(await waiting()) == [("done", "Lark 60"), ("dropped", "Lark 5")]


@pytest.mark.parametrize("what", ["withdrawn", "price"])
async def test_what_can_no_longer_be_kept_as_promised_is_told_and_nothing_changes(
    app: Application, asha: Browser, what: str
) -> None:
    await choose(app, asha, LARK_5)
    await put(what, LARK_5.id, **({"now": clock.now()} if what == "withdrawn" else {}))
    await renewal(app)
    assert (await service())["product_id"] == LARK_20.id
    assert (await service())["ends_at"] > clock.now()
    assert await waiting() == [("refused", "Lark 5")]
    assert any("keeps its plan" in subject for subject in await subjects(app))


async def test_a_cancelled_service_drops_it_with_its_end(app: Application, asha: Browser) -> None:
    await choose(app, asha, LARK_5)
    await put("ending", MOBILE)
    assert "Changes to Lark 5" not in (await asha.open("/services")).text
    await renewal(app)
    assert await waiting() == [("dropped", "Lark 5")]
    assert await bought() == []


@pytest.mark.parametrize(
    ("what", "on", "to", "words"),
    [
        ("suspended", MOBILE, LARK_60, "This service is suspended"),
        ("ending", MOBILE, LARK_60, "is going to end"),
        ("not renewing", MOBILE, LARK_5, "auto-renewal is off"),
        ("bound", LARK_20.id, LARK_5, "Inside the minimum term"),
        ("withdrawn", LARK_60.id, LARK_60, "no longer offered"),
    ],
)
async def test_what_stands_against_it_is_said_and_nothing_is_bought(
    asha: Browser, what: str, on: object, to: Sold, words: str
) -> None:
    page = await review(asha, to)
    values: dict[str, object] = {"not renewing": {"no": False}, "withdrawn": {"now": clock.now()}}.get(what, {})
    await put(what, on, **values)
    refused = await page.submit("plan-form")
    assert refused.status == 409
    assert words in refused.text
    assert words in (await review(asha, to)).text
    assert (await bought(), await waiting()) == ([], [])


async def test_a_plan_outside_the_closed_list_is_no_mishap(asha: Browser) -> None:
    for product in (catalogue.BUSINESS_30.id, catalogue.FIBRE_80.id, LARK_20.id):
        assert (await asha.open(f"{PLAN}/review?product={product}")).status == 409
    assert (await asha.open(f"{PLAN}/review?product=x")).status == 200
    answer = await asha.post(PLAN, {"csrf": await asha.csrf(), "product": "x", "request_key": "k" * 43})
    assert answer.status == 404


async def test_somebody_elses_service_is_not_there(asha: Browser, chidi: Browser) -> None:
    assert (await chidi.open(PLAN)).status == 404
    assert (await chidi.open(f"{PLAN}/review?product={LARK_60.id}")).status == 404
    answer = await chidi.post(f"{PLAN}/keep", {"csrf": await chidi.csrf()})
    assert answer.status == 404
