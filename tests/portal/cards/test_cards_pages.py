"""Keeping cards: add, name, order, default, remove; who may, what stops it, and what happens twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.adapters.payments_embedded_tables import SimCard
from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch, insert_many
from selfcare.demo import people
from selfcare.demo.people import fixed
from selfcare.identity import kept
from selfcare.kernel import clock, ids
from selfcare.portal.cards import adding, cards
from selfcare.portal.cards.tables import CardVisit, PaymentMethod
from selfcare.portal.pay.till import Till
from selfcare.ports import failures
from selfcare.ports.payments import CardSeen
from tests.support.browser import Browser, Page
from tests.support.site import NOW

FIRST, SECOND = fixed("card/asha/1"), fixed("card/asha/2")
PAN = "4242 4242 4242 4242"
AUDITED = Prepared.sql(
    """
    SELECT event FROM audit_event WHERE customer_id = :customer_id AND event LIKE 'cards.%' AND at >= :since ORDER BY at
    """
)


async def visit(browser: Browser, **fields: str) -> Page:
    """To the page that leads to the gateway."""
    return await (await browser.open("/cards/new")).submit("add-form", **fields)


async def keep(browser: Browser, outcome: Outcome, **fields: str) -> Page:
    """Through the gateway's page and back."""
    leaving = await visit(browser, **fields)
    link = leaving.one("//main//a[contains(@href, '/simpay/')]").get("href")
    return await (await browser.open(link.removeprefix(browser.base))).submit("simpay-card", outcome=outcome.value)


async def names(browser: Browser) -> list[str]:
    page = await browser.open("/cards")
    return [one.text_content() for one in page.html.xpath("//li[starts-with(@id, 'card-')]//b")]


async def ask_to_prove_again(browser: Browser) -> None:
    async with transaction():
        await execute(Prepared.sql("UPDATE session SET proved_at = NULL").bind())


async def add_rows(customer_id: UUID, count: int) -> None:
    rows = [
        {
            "id": ids.new_id(),
            "customer_id": customer_id,
            "brand": "visa",
            "last4": f"{1000 + n}",
            "exp_month": 5,
            "exp_year": 2029,
            "holder": "",
            "is_default": False,
            "position": 10 + n,
            "token_ref": f"pm_{n}",
            "fingerprint": f"fp_{n}",
            "created_at": clock.now(),
        }
        for n in range(count)
    ]
    async with transaction():
        await insert_many(PaymentMethod, rows)


async def audited(customer: people.Household = people.PATEL) -> list[str]:
    return [row["event"] for row in await fetch(AUDITED.bind(customer_id=customer.id, since=NOW))]


async def test_the_list_shows_brand_last_digits_and_date(asha: Browser) -> None:
    page = await asha.open("/cards")
    assert "Visa 4242" in page.text
    assert "valid to 09/2028" in page.text
    assert "Default" in page.by_id(f"card-{FIRST}").text_content()
    assert "demo_asha" not in page.answer.text


async def test_a_card_is_added_on_the_gateways_page(app: Application, asha: Browser) -> None:
    back = await keep(asha, Outcome.TWICE)
    assert "Card ending 1881 added" in back.text
    assert await names(asha) == ["Visa 4242", "Mastercard 4444", "Visa 1881"]
    assert await audited() == ["cards.added"]


async def test_the_first_card_becomes_the_default(empty: Browser) -> None:
    back = await keep(empty, Outcome.APPROVES)
    assert "It is your default card" in back.text


async def test_it_goes_back_to_where_it_was_wanted(asha: Browser) -> None:
    page = await asha.open("/cards/new?next=/billing")
    leaving = await page.submit("add-form")
    link = leaving.one("//main//a[contains(@href, '/simpay/')]").get("href")
    back = await (await asha.open(link.removeprefix(asha.base))).submit("simpay-card", outcome="twice")
    assert back.one("//main//a[normalize-space()='Go on']").get("href") == "/billing"


async def test_it_never_leads_to_another_site(asha: Browser) -> None:
    page = await asha.open("/cards/new?next=//evil.example/")
    assert page.field("next").value == ""
    back = await keep(asha, Outcome.TWICE, next="https://evil.example/")
    assert "evil" not in back.answer.text


async def test_adding_asks_who_it_is(asha: Browser) -> None:
    await ask_to_prove_again(asha)
    assert (await asha.open("/cards/new")).path.startswith("/sign-in/prove")


async def test_a_refused_card_is_not_kept_and_says_why(asha: Browser) -> None:
    leaving = await visit(asha)
    link = leaving.one("//main//a[contains(@href, '/simpay/')]").get("href").removeprefix(asha.base)
    refused = await (await asha.open(link)).submit("simpay-card", outcome="expired")
    assert refused.status == 422
    assert await names(asha) == ["Visa 4242", "Mastercard 4444"]


async def test_who_gives_up_keeps_nothing(asha: Browser) -> None:
    leaving = await visit(asha)
    back = await asha.open(f"{leaving.path}?back=1&gave_up=1")
    assert "No card was added" in back.heading
    assert "Nothing was kept and nothing was charged." in back.text


async def test_a_duplicate_takes_the_place_of_the_older(app: Application, asha: Browser) -> None:
    await keep(asha, Outcome.APPROVES)
    assert await names(asha) == ["Visa 4242", "Mastercard 4444"]
    assert "cards.replaced" in await audited()
    await app.catch_up()
    old = await SimCard.objects().get(SimCard.id == "demo_asha_visa_1")
    assert old.detached_at is not None


async def test_the_same_form_twice_is_one_visit(asha: Browser) -> None:
    page = await asha.open("/cards/new")
    one, two = await asyncio.gather(page.submit("add-form"), page.submit("add-form"))
    assert one.path == two.path
    assert await CardVisit.count() == 1


async def test_coming_back_twice_keeps_one_card(asha: Browser) -> None:
    back = await keep(asha, Outcome.TWICE)
    again = await asha.open(back.path)
    assert "Card ending 1881 added" in again.text
    assert len(await names(asha)) == 3


async def test_who_closes_the_window_keeps_the_card(app: Application, asha: Browser) -> None:
    leaving = await visit(asha)
    link = leaving.one("//main//a[contains(@href, '/simpay/')]").get("href").removeprefix(asha.base)
    page = await asha.open(link)
    await asha.post(link, [*((name, page.field(name).value) for name in ("csrf",)), ("outcome", "twice")], follow=False)
    assert len(await names(asha)) == 2
    clock.travel_by(timedelta(minutes=3))
    await adding.look_after(Till.of(app.ports, app.site.settings))
    assert len(await names(asha)) == 3


async def test_five_tries_an_hour(asha: Browser) -> None:
    for _n in range(5):
        assert (await visit(asha)).status == 200
    refused = await visit(asha)
    assert refused.status == 429
    assert "too often" in refused.text


async def test_ten_cards_are_enough(asha: Browser) -> None:
    page = await asha.open("/cards/new")
    await add_rows(people.PATEL.id, 8)
    refused = await page.submit("add-form")
    assert refused.status == 422
    assert "You have 10 cards already" in refused.text
    assert "Add a card" not in (await asha.open("/cards")).by_id("main").text_content()


async def test_an_eleventh_that_comes_all_the_same_is_forgotten(app: Application, asha: Browser) -> None:
    leaving = await visit(asha)
    await add_rows(people.PATEL.id, 8)
    link = leaving.one("//main//a[contains(@href, '/simpay/')]").get("href").removeprefix(asha.base)
    back = await (await asha.open(link)).submit("simpay-card", outcome="twice")
    assert "You have 10 cards already" in back.text
    await app.catch_up()
    assert await SimCard.count().where(SimCard.last4 == "1881", SimCard.customer_ref == "cus_sim_demo_asha") == 1
    assert (
        await SimCard.objects().get(SimCard.last4 == "1881").where(SimCard.customer_ref == "cus_sim_demo_asha")
    ).detached_at is not None


async def test_while_the_gateway_is_away_it_says_so(
    app: Application, asha: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_what: object) -> None:
        raise failures.Unreachable

    monkeypatch.setattr(app.ports.payments, "start_card_setup", away)
    refused = await visit(asha)
    assert refused.status == 503
    assert "cannot reach the page where cards are entered" in refused.text


async def test_a_name_is_given_and_taken_away(asha: Browser) -> None:
    page = await asha.open(f"/cards/{FIRST}")
    await page.submit("rename-form", nickname="Shopping")
    assert (await names(asha))[0] == "Shopping"
    await (await asha.open(f"/cards/{FIRST}")).submit("rename-form", nickname="")
    assert (await names(asha))[0] == "Visa 4242"


@pytest.mark.parametrize(
    "nickname", ["x" * 31, "two\nlines", PAN, "4242-4242-4242-4242", "my card 4242424242424242 ok"]
)
async def test_a_bad_name_is_refused(asha: Browser, nickname: str) -> None:
    page = await (await asha.open(f"/cards/{FIRST}")).submit("rename-form", nickname=nickname)
    assert page.status == 422
    assert page.error("nickname")
    assert (await names(asha))[0] == "Visa 4242"


async def test_a_card_number_is_not_shown_again_nor_kept(asha: Browser) -> None:
    page = await (await asha.open(f"/cards/{FIRST}")).submit("rename-form", nickname=PAN)
    assert "4242 4242 4242" not in page.answer.text
    assert "looks like a card number" in page.text
    assert await kept.find(people.ASHA.id) is None


async def test_another_card_becomes_the_default(app: Application, asha: Browser) -> None:
    page = await asha.open(f"/cards/{SECOND}")
    await page.submit("default-form")
    assert await names(asha) == ["Mastercard 4444", "Visa 4242"]
    assert [card.is_default for card in await cards.list_cards(people.PATEL.id)] == [True, False]
    await page.submit("default-form")
    assert await audited() == ["cards.made_default"]
    await app.catch_up()
    sim = await fetch(Prepared.sql("SELECT default_card FROM sim_customer WHERE id = 'cus_sim_demo_asha'").bind())
    assert sim[0]["default_card"] == "demo_asha_mastercard_2"


async def test_an_expired_card_does_not_become_the_default(asha: Browser) -> None:
    page = await asha.open(f"/cards/{SECOND}")
    clock.travel_to(clock.now() + timedelta(days=45))
    again = await Browser.sign_in(asha, "asha@example.test")
    assert again.status == 200
    refused = await asha.post(
        f"/cards/{SECOND}/default", {"csrf": await asha.csrf("/cards/new"), "request_key": "k" * 20}
    )
    assert refused.status == 422
    assert "has expired" in refused.text
    assert page.status == 200


async def test_cards_are_put_in_order_by_buttons(asha: Browser) -> None:
    await keep(asha, Outcome.TWICE)
    third = next(card for card in await cards.list_cards(people.PATEL.id) if card.last4 == "1881")
    await (await asha.open("/cards")).submit(f"up-{third.id}")
    assert await names(asha) == ["Visa 4242", "Visa 1881", "Mastercard 4444"]
    await (await asha.open("/cards")).submit(f"down-{third.id}")
    assert await names(asha) == ["Visa 4242", "Mastercard 4444", "Visa 1881"]


async def test_a_card_is_removed_here_and_at_the_gateway(app: Application, asha: Browser) -> None:
    page = await asha.open(f"/cards/{SECOND}/remove")
    await page.submit("remove-form")
    assert await names(asha) == ["Visa 4242"]
    await app.catch_up()
    assert (await SimCard.objects().get(SimCard.id == "demo_asha_mastercard_2")).detached_at is not None
    assert "cards.removed" in await audited()


async def test_removing_the_default_passes_it_on(asha: Browser) -> None:
    page = await asha.open(f"/cards/{FIRST}/remove")
    assert "Mastercard 4444 becomes the default card." in page.text
    await page.submit("remove-form")
    assert [card.is_default for card in await cards.list_cards(people.PATEL.id)] == [True]


async def test_the_default_stays_while_something_is_paid_by_it(chidi: Browser) -> None:
    async with transaction():
        await execute(Prepared.sql("UPDATE service SET renews = TRUE WHERE id = :id").bind(id=people.CHIDI_MOBILE))
    card = fixed("card/chidi/1")
    page = await chidi.open(f"/cards/{card}/remove")
    assert "This card is needed for: auto-renewal of Mobile" in page.text
    refused = await chidi.post(f"/cards/{card}/remove", {"csrf": await chidi.csrf(), "request_key": "k" * 20})
    assert refused.status == 422
    assert len(await names(chidi)) == 1


async def test_removing_asks_who_it_is(asha: Browser) -> None:
    await ask_to_prove_again(asha)
    assert (await asha.open(f"/cards/{FIRST}/remove")).path.startswith("/sign-in/prove")


async def test_a_removed_card_is_found_no_more(asha: Browser) -> None:
    page = await asha.open(f"/cards/{SECOND}/remove")
    await page.submit("remove-form")
    assert (await asha.open(f"/cards/{SECOND}")).status == 404
    assert (await page.submit("remove-form")).status == 404


async def test_who_only_looks_keeps_no_cards(ben: Browser, femi: Browser) -> None:
    for browser in (ben, femi):
        assert (await browser.open("/cards")).status == 404
        answer = await browser.post("/cards/new", {"csrf": await browser.csrf("/services")})
        assert answer.status == 403
    assert "expires soon" not in (await ben.open("/alerts")).text


async def test_another_customers_card_and_visit_do_not_exist(asha: Browser, chidi: Browser) -> None:
    leaving = await visit(asha)
    assert (await chidi.open(leaving.path)).status == 404
    csrf = await chidi.csrf()
    for verb in ("", "/default", "/move", "/remove"):
        fields = {"csrf": csrf, "nickname": "mine", "way": "up"}
        assert (await chidi.post(f"/cards/{FIRST}{verb}", fields)).status == 404
    assert await audited() == []


async def test_an_expiring_card_is_an_alert_that_leads_to_it(asha: Browser) -> None:
    clock.travel_to(clock.now() + timedelta(days=12))
    await asha.sign_in("asha@example.test")
    page = await asha.open("/alerts")
    assert "Mastercard •••• 4444 expires soon" in page.text
    assert page.has_link(f"/cards/{SECOND}")


async def test_the_list_asks_the_database_a_fixed_number_of_times(asha: Browser) -> None:
    await add_rows(people.PATEL.id, 8)
    with counting() as counted:
        await asha.open("/cards")
    assert len(counted) <= 4


async def test_two_at_once_keep_the_same_card_once(app: Application, asha: Browser) -> None:
    seen = CardSeen("pm_same", "visa", "7777", 5, 2030, fingerprint="fp")

    async def once() -> None:
        async with transaction():
            await cards.keep(
                app.ports.jobs, audit.system(customer_id=people.PATEL.id), people.PATEL.id, seen, added_by=None
            )

    await asyncio.gather(once(), once(), once())
    assert [card.last4 for card in await cards.list_cards(people.PATEL.id)].count("7777") == 1
