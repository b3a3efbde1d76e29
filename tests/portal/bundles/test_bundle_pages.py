"""Buying a bundle as the customer sees it."""

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
from selfcare.kernel import clock
from selfcare.ports.charging import Delivery, Use
from selfcare.ports.failures import Declined
from tests.portal.bundles import racing
from tests.portal.topup.test_topup_pages import give_credit
from tests.staff.test_visits import allow, login, prefix_of
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to
from tests.support.processes import together
from tests.support.shopping import check_all

TRAVEL, WEEK = catalogue.BUNDLES
ORDERS = Prepared.sql(
    """
    SELECT name, state, price_minor FROM purchase_order WHERE customer_id = :id ORDER BY price_minor DESC, name
    """
)
JOBS = Prepared.sql("SELECT what FROM provisioning_job WHERE customer_id = :id ORDER BY what")
REPRICE = Prepared.sql("UPDATE product SET price_minor = :price, version = version + 1 WHERE slug = :slug")
GRANTS = Prepared.sql(
    "SELECT g.id AS id FROM allowance_grant g JOIN purchase_order o ON o.id = g.order_id WHERE o.customer_id = :id"
)
SUSPEND = Prepared.sql(
    "UPDATE service SET state = 'suspended', suspend_reason = 'staff' WHERE customer_id = :id AND type = 'internet'"
)
ACTIONS = Prepared.sql("SELECT action FROM provisioning_job WHERE customer_id = :id ORDER BY started_at, action")
ADDONS = Prepared.sql(
    """
    SELECT a.ends_at AS ends_at, a.taken_off_at AS taken_off_at FROM service_addon a
      JOIN purchase_order o ON o.id = a.order_id WHERE o.customer_id = :id
    """
)
LINE = Prepared.sql("SELECT service_id AS id FROM purchase_order WHERE customer_id = :id AND name LIKE '5 GB%'")
HOME = people.PATEL


LEFT = Prepared.sql(
    """
    SELECT COALESCE(SUM(g.amount), 0) AS amount, COUNT(*) AS n FROM allowance_grant g
      JOIN purchase_order o ON o.id = g.order_id WHERE o.customer_id = :id
    """,
    types={"amount": int},
)
REFUNDS = Prepared.sql("SELECT amount_minor FROM refund WHERE customer_id = :id AND state = 'done'")


async def review(browser: Browser, bundle: Sold = TRAVEL) -> Page:
    return await browser.open(f"/bundles/review?product={bundle.id}")


async def ordered() -> list[tuple[str, int]]:
    return [(row["state"], row["price_minor"]) for row in await fetch(ORDERS.bind(id=HOME.id))]


async def set_up(app: Application) -> None:
    clock.travel_by(timedelta(seconds=10))
    await app.catch_up()


async def test_it_is_offered_reviewed_paid_once_and_each_part_arrives_once(app: Application, asha: Browser) -> None:
    shelf = await asha.open("/addons")
    page = await asha.open(shelf.html.xpath(f"//*[@id='bundle-{TRAVEL.id}']//a[contains(@href, 'review')]/@href")[0])
    for words in ("£26.00", "£5.00 less than one by one", "£17.00", "£4.00"):
        assert words in page.text
    order = await page.submit("buy")
    assert "World Roaming, 7 days: being added" in order.text
    await set_up(app)
    assert await ordered() == [("delivered", 2600), ("delivered", 1700), ("delivered", 500), ("delivered", 400)]
    assert len(await fetch(JOBS.bind(id=HOME.id))) == 2
    assert len(await fetch(GRANTS.bind(id=HOME.id))) == 3
    page = await asha.open(order.path)
    assert "Speed Boost, 3 days: ready" in page.text
    assert len((await asha.open("/orders")).html.xpath("//main//li")) == 1
    (mail,) = [mail for mail in await mails_to(app, "asha@example.test") if "is ready" in mail.subject]
    assert "World Roaming, 7 days, 5 GB extra data, Speed Boost, 3 days" in mail.text
    await check_all()


async def test_what_the_network_refuses_comes_back_and_all_say_so(app: Application, asha: Browser) -> None:
    await network.behave(Behaviour.FAILS)
    order = await (await review(asha)).submit("buy")
    await set_up(app)
    await app.catch_up()
    assert await ordered() == [("delivered", 2600), ("refunded", 1700), ("delivered", 500), ("refunded", 400)]
    page = await asha.open(order.path)
    assert "Ready in part" in page.text
    assert "World Roaming, 7 days, Speed Boost, 3 days could not be added: you get £21.00 back for it." in page.text
    assert "£17.00 has been given back" in page.text
    assert "Ready in part" in (await asha.open("/orders")).text
    mails = {mail.subject: mail.text for mail in await mails_to(app, "asha@example.test")}
    assert "You get £21.00 back for it." in mails["Family travel is ready in part"]
    assert any("World Roaming, 7 days (Family travel) could not be carried out" in subject for subject in mails)
    await check_all()


async def test_all_or_nothing_says_so_before_and_while_and_gives_all_back(app: Application, asha: Browser) -> None:
    assert "All or nothing" in (await asha.open("/addons")).text
    await network.behave(Behaviour.FAILS)
    page = await review(asha, WEEK)
    assert "you get everything back: £22.00" in page.text
    order = await page.submit("buy")
    assert "All or nothing: if one part cannot be done, you get everything back." in order.text
    assert "5 GB extra data: added" in order.text
    await set_up(app)
    await app.catch_up()
    page = await asha.open(order.path)
    for words in (
        "World Roaming, 7 days could not be done, so you get everything back",
        "5 GB extra data: taken back",
        "£22.00 given back",
        "Your money has been given back.",
    ):
        assert words in page.text
    assert await ordered() == [("refunded", 2200), ("failed", 1750), ("canceled", 450)]
    assert [dict(row) for row in await fetch(LEFT.bind(id=HOME.id))] == [{"amount": 0, "n": 2}]
    assert len(page.html.xpath("//a[contains(@href, 'credit-note')]")) == 1
    mails = {mail.subject: mail.text for mail in await mails_to(app, "asha@example.test")}
    (text,) = [text for subject, text in mails.items() if "Week abroad could not be carried out" in subject]
    assert "World Roaming, 7 days could not be done. It was all or nothing, so you get everything back." in text
    assert "£22.00 is on its way back to your card" in text
    await check_all()


async def test_an_add_on_that_arrived_is_taken_off_again(
    app: Application, asha: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_delivery: Delivery) -> None:
        raise Declined("The network knows no such service.")

    # The top-up is last here, so that the add-on is there when it is lost.
    credit = app.ports.charging.credit
    monkeypatch.setattr(
        app.ports.charging, "credit", lambda one: refuse(one) if one.puts[0].label == "5 GB top-up" else credit(one)
    )
    await (await review(asha, WEEK)).submit("buy")
    await set_up(app)
    await set_up(app)
    assert await ordered() == [("refunded", 2200), ("canceled", 1750), ("failed", 450)]
    assert [row["action"] for row in await fetch(ACTIONS.bind(id=HOME.id))] == ["add", "remove"]
    (addon,) = await fetch(ADDONS.bind(id=HOME.id))
    assert addon["ends_at"] <= addon["taken_off_at"]
    assert [row["amount"] for row in await fetch(LEFT.bind(id=HOME.id))] == [0]
    await check_all()


async def test_many_processes_at_one_bundle_take_it_back_once(app: Application, asha: Browser) -> None:
    await network.behave(Behaviour.FAILS)
    order = await (await review(asha, WEEK)).submit("buy")
    clock.travel_by(timedelta(seconds=10))
    asked = (engine.database().url, UUID(order.path.rpartition("/")[2]))
    await together(racing.advance, asked, asked)
    await set_up(app)
    assert await ordered() == [("refunded", 2200), ("failed", 1750), ("canceled", 450)]
    assert [dict(row) for row in await fetch(LEFT.bind(id=HOME.id))] == [{"amount": 0, "n": 2}]
    assert [row["amount_minor"] for row in await fetch(REFUNDS.bind(id=HOME.id))] == [2200]
    await check_all()


async def test_what_was_used_up_stays_on_the_list_of_staff_until_they_say_what(
    app: Application, asha: Browser, admin: Browser
) -> None:
    await network.behave(Behaviour.FAILS)
    order = await (await review(asha, WEEK)).submit("buy")
    (line,) = await fetch(LINE.bind(id=HOME.id))
    await app.ports.charging.take([Use(id="u1", service=str(line["id"]), kind="data", amount=10**12, at=clock.now())])
    await set_up(app)
    page = await admin.open("/staff/orders")
    page = await admin.open(page.html.xpath("//*[starts-with(@id, 'order-')]//h2/a/@href")[0])
    assert "Cannot be taken back. Some of it has been used already." in page.text
    assert "Take it back again" in page.text
    await admin.post(
        f"{page.path}/refund", {"csrf": page.field("csrf").value, "reason": "Used up before it was undone"}
    )
    await app.catch_up()
    assert (await ordered())[0] == ("refunded", 2200)
    assert "Your money has been given back." in (await asha.open(order.path)).text
    await check_all()


async def test_the_same_button_twice_is_one_bundle(asha: Browser) -> None:
    page = await review(asha)
    await page.submit("buy")
    await page.submit("buy")
    assert len(await ordered()) == 4


@pytest.mark.parametrize("slug", ["family-travel", "speed-boost-3"])
async def test_what_changed_meanwhile_in_it_or_in_a_part_is_shown_and_not_charged(asha: Browser, slug: str) -> None:
    page = await review(asha)
    await change(REPRICE, slug=slug, price=2599)
    again = await page.submit("buy")
    assert again.status == 409
    assert "Nothing was charged." in again.text
    assert await ordered() == []


async def test_a_price_that_is_no_sum_of_its_parts_is_divided_to_the_penny(asha: Browser) -> None:
    await change(REPRICE, slug="family-travel", price=1999)
    await (await review(asha)).submit("buy")
    assert [price for _state, price in await ordered()] == [1999, 1307, 384, 308]
    await check_all()


async def test_one_part_that_cannot_be_refuses_all_of_it_beside_its_field(asha: Browser) -> None:
    page = await review(asha)
    await change(SUSPEND, id=HOME.id)
    refused = await page.submit("buy")
    assert refused.status == 422
    assert "is suspended" in refused.error("service_2")
    assert await ordered() == []


async def test_somebody_elses_service_is_none_of_the_choices(asha: Browser) -> None:
    refused = await (await review(asha)).submit("buy", service_0=str(people.ASHA_MOBILE)[:-1] + "0")
    assert refused.status == 422
    assert await ordered() == []


@pytest.mark.parametrize(("product", "status"), [("x", 200), (str(catalogue.ADDONS[0].id), 404)])
async def test_what_is_no_bundle_is_no_mishap(asha: Browser, product: str, status: int) -> None:
    assert (await asha.open(f"/bundles/review?product={product}")).status == status


async def test_who_has_no_service_for_a_part_is_not_offered_it(empty: Browser) -> None:
    assert "Family travel" not in (await empty.open("/addons")).text
    assert (await review(empty)).status == 404


async def test_a_part_of_a_bundle_leads_to_the_bundle(asha: Browser) -> None:
    order = await (await review(asha)).submit("buy")
    parts = await fetch(Prepared.sql("SELECT id FROM purchase_order WHERE parent_id IS NOT NULL").bind())
    assert (await asha.open(f"/orders/{parts[0]['id']}")).path == order.path


@pytest.mark.parametrize(("allowed", "status", "n"), [(["addon"], 403, 0), (["addon", "topup"], 200, 4)])
async def test_support_buys_one_only_where_the_visit_allows_all_that_is_in_it(
    app: Application, dina: Browser, allowed: list[str], status: int, n: int
) -> None:
    await give_credit(2_600)
    prefix = prefix_of(await login(dina))
    await change("UPDATE impersonation_grant SET allowed = :allowed", allowed=allowed)
    await allow(app, *allowed)
    page = await dina.open(f"{prefix}/bundles/review?product={TRAVEL.id}")
    assert (await page.submit("buy", card="credit")).status == status
    assert len(await ordered()) == n
