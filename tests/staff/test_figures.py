"""Counts for operations, and lists worth a call."""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.demo import catalogue, people
from selfcare.kernel import clock, ids
from tests.support.browser import Browser, Page


async def test_the_figures_count_sign_ins_and_name_nobody(app: Application, dina: Browser, visitor: Browser) -> None:
    await visitor.sign_in("chidi@example.test", "Wrong-Pass-1!")
    page = await dina.open("/staff/figures")
    assert page.status == 200
    assert "1 failed sign-in in 14 days." in page.text
    assert "Chidi" not in page.text
    assert len(page.html.xpath("//*[@id='chart-sign-ins']//tbody/tr")) == 14


async def test_the_lists_show_who_is_overdue_and_what_ends(app: Application, dina: Browser) -> None:
    page = await dina.open("/staff/lists")
    assert page.status == 200
    assert "Asha Patel" in page.html.xpath("string(//section[.//h2[@id='bills-heading']])")
    assert page.html.xpath("//section[.//h2[@id='services-heading']]//tbody/tr")
    assert "Visa" in page.html.xpath("string(//section[.//h2[@id='cards-heading']])") or "None." in page.text


async def test_the_lists_need_the_right(app: Application, eli: Browser) -> None:
    async with transaction():
        rights = Prepared.sql("UPDATE app_user SET staff_rights = :rights WHERE id = :id")
        await execute(rights.bind(id=people.ELI.id, rights=["view_customer"]))
    assert (await eli.open("/staff/lists")).status == 404


async def test_stuck_orders_dead_letters_and_waiting_messages_are_counted(app: Application, dina: Browser) -> None:
    now = clock.now()
    async with transaction():
        for state, ago in (("delivering", 2), ("paid", 0), ("review", 0), ("delivered", 3)):
            values = {"id": ids.new_id(), "customer": people.PATEL.id, "state": state, "at": now - timedelta(hours=ago)}
            await execute(ORDER.bind(**values, reference=ids.reference("ORD"), key=ids.token()))
        for n, seconds in enumerate((3, 95)):
            at = now - timedelta(days=1)
            await execute(MESSAGE.bind(id=ids.new_id(), n=str(n), at=at, handled=at + timedelta(seconds=seconds)))
        await app.ports.jobs.enqueue("outbox.forget_old", key="dead-1", payload={})
        await execute(Prepared.sql("UPDATE job SET given_up_at = :now WHERE key = 'dead-1'").bind(now=now))
    page = await dina.open("/staff/figures")
    stats = page.html.xpath("string(//dl[@class='stats'])")
    assert "Orders stuck or in review 2" in " ".join(stats.split())
    assert "Jobs given up 1" in " ".join(stats.split())
    assert "At most 95 seconds in 14 days." in page.text
    assert table(page, "chart-lag")[-2:] == ["95", "0"]
    assert "outbox.forget_old" in page.html.xpath("string(//*[@id='chart-dead']//tbody)")
    assert table(page, "chart-orders") == ["1", "1", "1", "1"]
    assert page.html.xpath("//*[@id='chart-orders']//rect/@width") == ["100"] * 4


def table(page: Page, chart: str) -> list[str]:
    return [cell.text_content() for cell in page.html.xpath(f"//*[@id='{chart}']//tbody//td")]


ORDER = Prepared.sql(
    """
    INSERT INTO purchase_order (id, customer_id, kind, reference, request_key, name, price_minor, tax_permille,
        currency, delivers, auto, state, created_at, changed_at)
    VALUES (:id, :customer, 'topup', :reference, :key, '5 GB', 500, 200, 'GBP', '{}', FALSE, :state, :at, :at)
    """
)
MESSAGE = Prepared.sql(
    """
    INSERT INTO webhook_event (id, gateway, event_id, kind, about, body, received_at, handled_at)
    VALUES (:id, 'test', :n, 'payment', 'payment', '{}', :at, :handled)
    """
)


async def test_the_orders_of_a_customer_name_the_version_they_were_bought_at(
    app: Application, admin: Browser, eli: Browser
) -> None:
    async with transaction():
        values = {"id": ids.new_id(), "customer": people.PATEL.id, "state": "delivered", "at": clock.now()}
        await execute(ORDER.bind(**values, reference="ORD-22222222", key=ids.token()))
        product = catalogue.fixed("product/data-5")
        bought = Prepared.sql("UPDATE purchase_order SET product_id = :product, product_version = 1 WHERE id = :id")
        await execute(bought.bind(product=product, id=values["id"]))
    page = await admin.open(f"/staff/customers/{people.PATEL.id}/orders")
    assert "ORD-22222222 5 GB" in page.text
    assert page.has_link(f"/staff/catalogue/{product}/versions/1")
    async with transaction():
        rights = Prepared.sql("UPDATE app_user SET staff_rights = :rights WHERE id = :id")
        await execute(rights.bind(id=people.ELI.id, rights=["view_customer"]))
    assert (await eli.open(f"/staff/customers/{people.PATEL.id}/orders")).status == 404
