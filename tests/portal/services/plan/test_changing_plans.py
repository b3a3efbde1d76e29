"""Another plan as the customer sees it: at once and paid for, or when the period ends; each exactly once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from importlib import import_module
from operator import attrgetter
from typing import Any

import pytest

from selfcare.adapters import provisioning_embedded as network
from selfcare.adapters.provisioning_embedded import Behaviour
from selfcare.app import Application
from selfcare.db.prepared import fetch
from selfcare.demo import catalogue
from selfcare.demo.catalogue import LARK_5, LARK_20, LARK_60, LARK_UNLIMITED
from selfcare.kernel import clock
from selfcare.portal.orders import orders
from selfcare.portal.orders.shop import Shop
from selfcare.portal.services.plan import scheduling
from tests.portal.services.plan.planning import (
    CHANGES,
    CHARGED,
    HAPPENED,
    MOBILE,
    PLAN,
    bought,
    choose,
    left,
    put,
    renewal,
    review,
    service,
    set_up,
    subjects,
    waiting,
)
from tests.portal.topup.test_topup_pages import give_credit
from tests.support import broken, shopping
from tests.support.browser import Browser
from tests.support.mail import mails_to


class Killed(Exception):
    pass


def resolve(path: str) -> Any:
    module, _dot, rest = path.removeprefix("selfcare.portal.orders.").partition(".")
    return attrgetter(rest)(import_module(f"selfcare.portal.orders.{module}"))


async def test_a_dearer_plan_is_compared_paid_by_the_day_and_begins_at_once(app: Application, asha: Browser) -> None:
    service_page = await asha.open(f"/services/{MOBILE}")
    assert service_page.has_link(PLAN)
    shelf = await asha.open(PLAN)
    assert "£6.00 more" in shelf.by_id(f"plan-{LARK_60.id}").text_content()
    page = await asha.open(shelf.html.xpath(f"//*[@id='plan-{LARK_60.id}']//a/@href")[0])
    for words in (
        "Lark 20, 14 of 30 days not used",
        "−£5.60",
        "£8.40",
        "£2.80",
        "At once you get: Data: 40 GB more, Voice: unlimited",
    ):
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


@pytest.mark.parametrize(
    "killed_in", ["network.set_up", "allowances.Allowances.deliver", "plans._switch", "orders._finish"]
)
async def test_killed_between_paid_and_delivered_it_arrives_once(
    app: Application, asha: Browser, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    """After what it was doing was done, but before anybody knew."""
    where = f"selfcare.portal.orders.{killed_in}"
    real, killed = resolve(where), []

    async def dies(*given: Any) -> Any:
        done = await real(*given)
        if not killed:
            killed.append(where)
            raise Killed
        return done

    await (await review(asha, LARK_60)).submit("plan-form")
    clock.travel_by(timedelta(seconds=10))
    (order,) = await bought()
    shop, had = Shop.of(app.ports, app.site.settings), await left()
    monkeypatch.setattr(where, dies)
    with pytest.raises(Killed):
        await orders.advance(shop, order["id"])
    clock.travel_by(timedelta(minutes=2))
    await app.catch_up()
    assert killed
    assert [one["state"] for one in await bought()] == ["delivered"]
    assert await left() - had == 40 * catalogue.GB
    assert len(await fetch(HAPPENED.bind(id=str(MOBILE)))) == 1
    assert len(await fetch(CHANGES.bind(id=MOBILE))) == 1
    await shopping.check_all()


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
    page = await asha.open(f"/orders/{order['id']}")
    assert "it stays as it was" in page.text
    assert "Your money has been given back." in page.text
    assert [mail for mail in await mails_to(app, "asha@example.test") if "Your plan stays as it was." in mail.text]
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


async def test_credit_pays_for_it_too(app: Application, asha: Browser) -> None:
    await give_credit(500)
    await (await review(asha, LARK_60)).submit("plan-form", card="credit")
    await set_up(app)
    assert [one["state"] for one in await bought()] == ["delivered"]
    await shopping.check_all()


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


async def test_a_change_that_cannot_be_begun_keeps_no_other_waiting(
    app: Application, asha: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await choose(app, asha, LARK_5)
    clock.travel_by(timedelta(days=14))
    broken.first(monkeypatch, scheduling)
    assert await scheduling.carry_out_due(Shop.of(app.ports, app.site.settings), clock.now()) == 1


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
