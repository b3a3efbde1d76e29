"""What stands against another plan, and what changed since it was shown: said in words, nothing bought."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.demo import catalogue, people
from selfcare.demo.catalogue import FIBRE_500, LARK_5, LARK_20, LARK_60, Sold
from selfcare.demo.people import fixed
from selfcare.kernel import clock
from selfcare.portal.services.plan.queries import clashing, lacking
from tests.portal.services.plan.planning import (
    INTERNET,
    MOBILE,
    PLAN,
    bought,
    put,
    review,
    service,
    set_up,
    waiting,
)
from tests.portal.topup.test_topup_pages import give_credit
from tests.staff.test_visits import allow, login, prefix_of, rows
from tests.support.browser import Browser
from tests.support.databases import change


@pytest.fixture
def kind() -> str:
    """No statement here that the other tests do not run on both."""
    return "sqlite"


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


async def test_a_minimum_term_of_the_new_plan_is_said_first_and_begins_anew(app: Application, asha: Browser) -> None:
    await put("named", INTERNET)
    page = await review(asha, FIBRE_500, INTERNET)
    assert "begins its minimum term anew: until 22 Nov 2027" in page.text
    await page.submit("plan-form")
    await set_up(app)
    now = await service(INTERNET)
    assert (now["product_id"], str(now["contract_ends_on"])) == (FIBRE_500.id, "2027-11-22")
    assert now["name"] == "Home Fibre 500"


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


async def test_an_add_on_that_does_not_go_with_it_is_named(app: Application, asha: Browser) -> None:
    await put("extra", fixed("product/roaming-europe"), slugs=f'["{LARK_60.slug}"]')
    addon = await asha.open(f"/addons/{MOBILE}/review?product={fixed('product/roaming-europe')}")
    await addon.submit("buy")
    await set_up(app)
    assert "“Europe Roaming” does not go with this plan" in (await asha.open(PLAN)).text
    refused = await review(asha, LARK_60)
    assert refused.status == 409


async def test_add_ons_that_a_plan_or_that_itself_excludes_are_all_named() -> None:
    extras = [
        {"slug": "one", "name": "One", "requires": [], "excludes": ["small"]},
        {"slug": "two", "name": "Two", "requires": [], "excludes": []},
        {"slug": "three", "name": "Three", "requires": ["big"], "excludes": []},
    ]
    assert clashing("small", ["two"], extras) == ["One", "Two", "Three"]
    assert clashing("big", [], extras) == []
    assert (lacking(["four"], extras), lacking(["two"], extras)) == (True, False)


async def test_somebody_elses_service_is_not_there(asha: Browser, chidi: Browser) -> None:
    assert (await chidi.open(PLAN)).status == 404
    assert (await chidi.open(f"{PLAN}/review?product={LARK_60.id}")).status == 404
    answer = await chidi.post(f"{PLAN}/keep", {"csrf": await chidi.csrf()})
    assert answer.status == 404


async def test_support_changes_it_where_allowed_and_from_credit_only(app: Application, dina: Browser) -> None:
    await give_credit(500)
    address = f"{prefix_of(await login(dina))}{PLAN}/review?product={LARK_60.id}"
    await allow(app, "plan")
    await change("UPDATE impersonation_grant SET allowed = :allowed", allowed=["plan"])
    page = await dina.open(address)
    assert page.html.xpath("//input[@name='card']/@value") == ["credit"]
    assert (await page.submit("plan-form", card=str(people.PATEL.id))).status == 422
    await page.submit("plan-form")
    await set_up(app)
    assert [one["state"] for one in await bought()] == ["delivered"]
    (row,) = await rows("orders.ordered")
    assert (row["actor_user_id"], row["user_id"]) == (people.DINA.id, people.ASHA.id)
