"""Orders of which nobody could say the end: staff deliver again or give the money back, and never both."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.demo import people
from selfcare.kernel import clock, ids
from selfcare.kernel.money import Money
from selfcare.portal.orders import allowances, orders
from selfcare.portal.orders.order import Kind, Order, State, load
from selfcare.portal.orders.orders import Wanted
from selfcare.portal.orders.outcome import UNKNOWN
from selfcare.portal.orders.shop import Shop
from selfcare.portal.pay.payments import How
from selfcare.ports.charging import Delivery
from selfcare.ports.failures import Unreachable
from tests.staff.test_visits import rows
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.shopping import Scripted

WHY = "The network lost it in the night"
GRANT = {"kind": "data", "amount": 5 * 10**9, "label": "Extra data", "lifetime_days": 30}
CARD = Prepared.sql("SELECT id FROM payment_method WHERE customer_id = :customer_id AND is_default")
LINE = Prepared.sql("SELECT id FROM service WHERE customer_id = :customer_id AND type = 'mobile' AND state = 'active'")
GRANTS = Prepared.sql("SELECT id FROM allowance_grant WHERE order_id = :order_id")
REFUNDS = Prepared.sql("SELECT id FROM refund")


@pytest.fixture
async def stuck(app: Application) -> Order:
    """Paid by card, and nobody knows whether it was delivered."""
    shop = Shop.of(app.ports, app.site.settings)
    silent = replace(shop, deliverers={Kind.TOPUP: Scripted([UNKNOWN], patience=timedelta(0))})
    card = await fetch_one(CARD.bind(customer_id=people.PATEL.id))
    service = await fetch_one(LINE.bind(customer_id=people.PATEL.id))
    assert card is not None
    assert service is not None
    wanted = Wanted(
        kind=Kind.TOPUP,
        name="5 GB extra data",
        price=Money(600, "GBP"),
        service_id=service["id"],
        delivers={"puts": allowances.frozen([GRANT], "GBP", now=clock.now())},
    )
    who = audit.system(customer_id=people.PATEL.id, user_id=people.ASHA.id)
    order = await orders.buy(silent, who, wanted, How(request_key=ids.token(), card_id=card["id"]))
    assert order.state is State.REVIEW
    return order


async def test_it_stands_on_the_list_and_is_delivered_again_once(
    app: Application, stuck: Order, admin: Browser
) -> None:
    listed = await admin.open("/staff/orders")
    page = await admin.open(listed.html.xpath(f"//*[@id='order-{stuck.id}']//h2/a/@href")[0])
    done = await page.submit("act-form", reason=WHY)
    assert (await load(stuck.id)).state is State.DELIVERED, done.text
    assert len(await fetch(GRANTS.bind(order_id=stuck.id))) == 1
    (row,) = await rows("orders.retried")
    assert row["actor_user_id"] == people.ADMIN.id
    again = await page.submit("act-form", reason=WHY)
    assert again.status == 409
    assert "no longer waiting" in again.text


async def test_a_reason_is_needed(stuck: Order, admin: Browser) -> None:
    page = await (await admin.open(f"/staff/orders/{stuck.id}")).submit("act-form", reason="because")
    assert page.status == 422
    assert "at least 10 characters" in page.error("reason")
    assert (await load(stuck.id)).state is State.REVIEW


async def test_the_money_goes_back_where_nothing_was_delivered(app: Application, stuck: Order, admin: Browser) -> None:
    await give_back(stuck, admin)
    await app.catch_up()
    order = await load(stuck.id)
    assert order.state is State.REFUNDED
    assert await fetch(GRANTS.bind(order_id=stuck.id)) == []
    assert len(await rows("orders.given_up")) == 1


async def test_what_was_delivered_after_all_is_not_given_back(app: Application, stuck: Order, admin: Browser) -> None:
    await app.ports.charging.credit(allowances.delivery_of(stuck))
    page = await give_back(stuck, admin)
    assert page.status == 409
    assert "It was delivered after all" in page.text
    assert (await load(stuck.id)).state is State.DELIVERED


async def test_nothing_is_given_back_while_nobody_can_say(
    app: Application, stuck: Order, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_delivery: Delivery) -> bool:
        raise Unreachable("not there")

    monkeypatch.setattr(app.ports.charging, "was_applied", away)
    page = await give_back(stuck, admin)
    assert page.status == 409
    assert (await load(stuck.id)).state is State.REVIEW


async def test_what_the_bank_takes_back_already_is_not_given_back_and_staff_read_why(
    stuck: Order, admin: Browser
) -> None:
    await change("UPDATE payment SET disputed_at = created_at WHERE id = :id", id=stuck.payment_id)
    page = await give_back(stuck, admin)
    assert page.status == 409
    assert "The bank is taking this payment back already" in page.text
    assert (await load(stuck.id)).state is State.REVIEW
    assert await fetch(REFUNDS.bind()) == []


async def give_back(stuck: Order, browser: Browser) -> Page:
    page = await browser.open(f"/staff/orders/{stuck.id}")
    return await browser.post(f"/staff/orders/{stuck.id}/refund", {"csrf": page.field("csrf").value, "reason": WHY})


@pytest.mark.parametrize("source", ["goodwill", "credit", "order"])
async def test_money_of_an_order_that_may_still_come_does_not_go_back_past_the_order(
    stuck: Order, dina: Browser, source: str
) -> None:
    page = await dina.open(f"/staff/payments/{stuck.payment_id}")
    refused = await page.submit("refund-form", amount="6.00", source=source, reason=WHY)
    assert refused.status == 422
    assert await fetch(REFUNDS.bind()) == []
