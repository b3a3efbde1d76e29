"""Two processes at one line at the same moment, on both databases."""

from __future__ import annotations

import json

from selfcare.app import Application
from selfcare.db import engine
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import catalogue
from selfcare.demo.catalogue import LARK_5, LARK_20, LARK_60, Sold
from selfcare.kernel.money import Money
from selfcare.portal.orders.shop import Shop
from selfcare.portal.services.plan.changing import Shown
from tests.portal.services.plan import racing
from tests.portal.services.plan.planning import MOBILE, bought, service, set_up, waiting
from tests.portal.services.plan.racing import ADD, CANCEL, CHANGE, SCHEDULE
from tests.support.processes import together

PAID = Prepared.sql("SELECT id FROM payment WHERE purpose = 'plan' AND state IN ('succeeded', 'processing')")
NEEDS = Prepared.sql("UPDATE product SET requires = :slugs WHERE id = :id")
STREAM = next(sold for sold in catalogue.ADDONS if sold.slug == "stream-plus")
STATE = Prepared.sql("SELECT state FROM service WHERE id = :id")


async def both(app: Application, *what: tuple[str, Sold, int]) -> list[list[str]]:
    url, shop = engine.database().url, Shop.of(app.ports, app.site.settings)
    told = [(url, MOBILE, act, await racing.shown(shop, MOBILE, to.id), times) for act, to, times in what]
    return await together(racing.race, *told)


async def test_of_many_changes_at_once_one_is_sold(app: Application) -> None:
    said = await both(app, (CHANGE, LARK_60, 3), (CHANGE, LARK_60, 3))
    assert sorted(said[0] + said[1]) == [CHANGE] + ["refused"] * 5
    await set_up(app)
    assert [row["state"] for row in await bought()] == ["delivered"]
    assert len(await fetch(PAID.bind())) == 1
    assert (await service())["product_id"] == LARK_60.id


async def test_a_change_at_once_and_one_for_later_leave_the_line_on_one_plan_and_with_nothing_to_come(
    app: Application,
) -> None:
    now, later = await both(app, (CHANGE, LARK_60, 1), (SCHEDULE, LARK_5, 2))
    assert now == [CHANGE]
    await set_up(app)
    there = await service()
    assert (there["product_id"], there["next_product_id"]) == (LARK_60.id, None)
    assert len(await fetch(PAID.bind())) == 1
    states = [state for state, _name in await waiting()]
    assert states.count("done") == 1
    assert states.count("dropped") == later.count(SCHEDULE)
    assert len(states) == 1 + later.count(SCHEDULE)


async def test_a_line_that_ends_gets_no_other_plan_and_one_that_gets_it_does_not_end(
    app: Application,
) -> None:
    changed, cancelled = await both(app, (CHANGE, LARK_60, 2), (CANCEL, LARK_60, 2))
    await set_up(app)
    (row,) = await fetch(STATE.bind(id=MOBILE))
    orders = [order["state"] for order in await bought()]
    if CANCEL in cancelled:
        assert (row["state"], orders, changed.count(CHANGE)) == ("ended", [], 0)
    else:
        assert (row["state"], orders, changed.count(CHANGE)) == ("active", ["delivered"], 1)


async def test_an_add_on_that_needs_the_plan_is_not_sold_while_the_plan_goes(app: Application) -> None:
    async with transaction():
        await execute(NEEDS.bind(id=STREAM.id, slugs=json.dumps([LARK_20.slug])))
    url, shop = engine.database().url, Shop.of(app.ports, app.site.settings)
    add = Shown(STREAM.id, 1, Money(STREAM.price, "GBP"), Money(STREAM.price, "GBP"), None)
    move = await racing.shown(shop, MOBILE, LARK_60.id)
    added, changed = await together(racing.race, (url, MOBILE, ADD, add, 2), (url, MOBILE, CHANGE, move, 2))
    assert sorted([*added, *changed])[1:] == ["refused"] * 3
    await set_up(app)
    assert ((await service())["product_id"] == LARK_60.id) == (CHANGE in changed)
    assert len(await bought()) == changed.count(CHANGE)
