"""Support tops up for a customer: where that was allowed, from credit, and never by card."""

from __future__ import annotations

from selfcare.app import Application
from selfcare.demo import catalogue, people
from tests.portal.topup.test_topup_pages import bought, give_credit, mobile
from tests.staff.test_visits import allow, login, prefix_of, rows
from tests.support.browser import Browser
from tests.support.databases import change

ALLOWED = ["topup"]


async def visit(app: Application, browser: Browser, product: catalogue.Sold = catalogue.DATA_5) -> str:
    prefix = prefix_of(await login(browser))
    await allow(app, *ALLOWED)
    return f"{prefix}/topup/{await mobile()}/review?product={product.id}"


async def test_only_where_the_visit_allows_it(app: Application, dina: Browser) -> None:
    await give_credit(1_000)
    page = await dina.open(await visit(app, dina))
    assert (await page.submit("buy", card="credit")).status == 403
    assert await bought() == []


async def test_from_credit_under_both_names(app: Application, dina: Browser) -> None:
    await give_credit(1_000)
    address = await visit(app, dina)
    await change("UPDATE impersonation_grant SET allowed = :allowed", allowed=ALLOWED)
    page = await dina.open(address)
    assert page.html.xpath("//input[@name='card']/@value") == ["credit"]
    await page.submit("buy")
    assert [order["state"] for order in await bought()] == ["delivered"]
    (row,) = await rows("topup.ordered")
    assert (row["actor_user_id"], row["user_id"]) == (people.DINA.id, people.ASHA.id)


async def test_never_by_card_however_it_is_sent(app: Application, dina: Browser) -> None:
    await give_credit(1_000)
    address = await visit(app, dina)
    await change("UPDATE impersonation_grant SET allowed = :allowed", allowed=ALLOWED)
    page = await dina.open(address)
    for card in ("new", str(people.PATEL.id)):
        assert (await page.submit("buy", card=card)).status == 422
    assert await bought() == []


async def test_without_credit_there_is_nothing_to_press(app: Application, dina: Browser) -> None:
    address = await visit(app, dina)
    await change("UPDATE impersonation_grant SET allowed = :allowed", allowed=ALLOWED)
    page = await dina.open(address)
    assert "There is not enough credit" in page.text
    assert not page.html.xpath("//form[@id='buy']//button")
