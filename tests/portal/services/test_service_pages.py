"""/services and one service, as the people of the demo operator see them."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from selfcare.app import Application
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, insert_many
from selfcare.demo import people
from selfcare.demo.catalogue import LARK_20
from selfcare.kernel import ids
from selfcare.portal.services.tables import Service
from tests.support import site
from tests.support.browser import Browser, Page
from tests.support.site import NOW


def names(page: Page) -> list[str]:
    return [" ".join(each.text_content().split()) for each in page.html.xpath("//article//h2")]


def card(page: Page, service_id: object) -> str:
    return " ".join(page.by_id(f"service-{service_id}").text_content().split())


async def add(home: people.Household, count: int, **more: object) -> None:
    row = {
        "customer_id": home.id,
        "product_id": LARK_20.id,
        "type": "mobile",
        "state": "active",
        "currency": "GBP",
        "created_at": NOW,
        "configuration": "{}",
    }
    async with transaction():
        made = [row | {"id": ids.new_id(), "name": f"Line {n:05}"} | more for n in range(count)]
        await insert_many(Service, made)


async def change(service_id: object, what: str, **values: object) -> None:
    async with transaction():
        await execute(Prepared.sql(f"UPDATE service SET {what} WHERE id = :id").bind(id=service_id, **values))


async def test_a_card_shows_what_the_customer_has_bought(asha: Browser) -> None:
    page = await asha.open("/services")
    shown = card(page, people.ASHA_MOBILE)
    assert "Mobile - +44 7700 900123" in shown
    assert "Lark 20" in shown
    assert "Active" in shown
    assert "Created 22 Sept 2025" in shown
    assert "Renews 6 Dec 2026" in shown
    assert "Monthly cost £12.00" in shown
    assert "Auto-renewal On" in shown


async def test_the_nearest_end_comes_first(asha: Browser) -> None:
    page = await asha.open("/services")
    assert names(page)[0] == "Internet - 14 Larch Road"
    assert "Expiring soon" in card(page, people.ASHA_INTERNET)
    assert "Ends in 5 days, 27 Nov 2026" in card(page, people.ASHA_INTERNET)


async def test_what_is_active_stands_before_what_is_not_by_the_names_people_gave(bloom: Browser) -> None:
    shown = names(await bloom.open("/services"))
    assert shown[:3] == ["Zoe Marsh", "Femi Adeyemi", "Gwen Ashby"]
    assert sorted(shown[1:20], key=str.lower) == shown[1:20]
    assert shown[20:23] == ["Noor Khan", "Rosa Lind", "Umar Aziz"]


async def test_a_service_suspended_for_payment_says_so_and_leads_to_paying_what_is_overdue_first(asha: Browser) -> None:
    await change(people.ASHA_MOBILE, "state = 'suspended', suspend_reason = 'payment'")
    article = (await asha.open("/services")).by_id(f"service-{people.ASHA_MOBILE}")
    assert "A payment is missing" in article.text_content()
    (first,) = article.xpath("(.//a[contains(@class, 'btn')])[1]")
    assert first.get("href").startswith("/pay?bill=")
    assert first.get("href").count("bill=") == 1, "what is not due yet is not asked for"
    assert "Pay £46.15 to switch on again" in first.text_content()
    assert not article.xpath(".//a[starts-with(@href, '/addons')]"), "nothing can be added to it now"


async def test_who_may_only_look_is_led_to_the_bills_of_what_waits_for_a_payment(
    app: Application, ben: Browser
) -> None:
    await change(people.ASHA_MOBILE, "state = 'suspended', suspend_reason = 'payment'")
    shown = (await ben.open("/services")).by_id(f"service-{people.ASHA_MOBILE}")
    assert not shown.xpath(".//a[starts-with(@href, '/pay')]")


async def test_what_makes_no_sense_now_is_not_offered(bloom: Browser) -> None:
    page = await bloom.open("/services?q=Umar")
    assert "Being set up" in page.text
    assert not page.has_link("/topup/")


async def test_a_name_in_other_letters_is_found_however_it_is_typed(bloom: Browser) -> None:
    for typed in ("Ксения", "ксения", "ксения попова"):
        assert "Ксения Попова" in (await bloom.open(f"/services?state=ended&q={typed}")).text, typed


async def test_a_customer_with_nothing_learns_what_will_stand_here(empty: Browser) -> None:
    page = await empty.open("/services")
    assert "No services yet" in page.text


async def test_what_ended_long_ago_is_folded_on_the_same_page(bloom: Browser) -> None:
    page = await bloom.open("/services")
    fold = page.by_id("ended")
    assert fold.tag == "details"
    assert "Ended (1)" in fold.text_content()
    assert "Expired" in " ".join(names(page)) or "يوسف علي" in names(page)


async def test_a_service_is_found_by_name_number_and_status(bloom: Browser) -> None:
    assert names(await bloom.open("/services?q=zoe")) == ["Zoe Marsh"]
    number = (await bloom.open("/services?q=113 496 0100")).text
    assert "Office line" in number
    assert names(await bloom.open("/services?state=suspended")) == ["Noor Khan", "Rosa Lind"]
    assert set(names(await bloom.open("/services?type=internet"))) == {
        "Internet - Leeds office",
        "Internet - York nursery",
    }


async def test_a_percent_sign_is_searched_for_literally(bloom: Browser) -> None:
    page = await bloom.open("/services?q=%25")
    assert "No service matches" in page.text


async def test_the_filter_answers_htmx_with_the_list_alone(bloom: Browser) -> None:
    page = await bloom.open("/services?q=zoe", htmx=True)
    assert page.html.get("id") == "services-list"
    assert not page.html.xpath("//h1")


@pytest.mark.parametrize(
    "strange", ["state=x", "type='--", "page=-1", "page=0", "page=9999999", "q=%00", "page=%C2%B2"]
)
async def test_a_mangled_filter_is_no_filter(asha: Browser, strange: str) -> None:
    page = await asha.open(f"/services?{strange}")
    assert page.status == 200


async def test_25_stand_on_a_page_and_the_rest_on_the_next(app: Application, chidi: Browser) -> None:
    await add(people.OKORO, 60)
    first = await chidi.open("/services")
    assert len(names(first)) == 25
    assert "62 services, page 1 of 3" in first.text
    last = await chidi.open("/services?page=3")
    assert len(names(last)) == 12
    assert not set(names(first)) & set(names(last))


async def test_the_number_of_statements_does_not_grow_with_the_services(app: Application, asha: Browser) -> None:
    with counting() as few:
        await asha.open("/services")
    await add(people.PATEL, 500)
    with counting() as many:
        await asha.open("/services")
    assert len(many) == len(few)


async def test_details_show_the_whole_configuration_and_nothing_internal(asha: Browser) -> None:
    page = await asha.open(f"/services/{people.ASHA_MOBILE}")
    assert page.heading == "Mobile - +44 7700 900123"
    for words in ("Lark 20", "£12.00 a month", "ends in 0018", "Fairphone 5", str(people.ASHA_MOBILE)):
        assert words in page.text
    assert "8944" not in page.text


async def test_the_persons_own_name_stands_first_and_the_systems_in_the_details(
    app: Application, asha: Browser
) -> None:
    await change(people.ASHA_MOBILE, "nickname = :name", name="Asha's <phone>")
    page = await asha.open(f"/services/{people.ASHA_MOBILE}")
    assert page.heading == "Asha's <phone>"
    assert "Mobile - +44 7700 900123" in page.text


async def test_a_time_is_shown_in_the_customers_zone(app: Application, asha: Browser) -> None:
    await change(people.ASHA_MOBILE, "ends_at = :end", end=NOW.replace(month=7, day=31, year=2027, hour=23, minute=30))
    page = await asha.open("/services")
    assert "Renews 1 Aug 2027" in card(page, people.ASHA_MOBILE)


async def test_exactly_seven_days_is_not_soon(app: Application, asha: Browser) -> None:
    await change(people.ASHA_MOBILE, "ends_at = :end", end=NOW + timedelta(days=7))
    assert "Active" in card(await asha.open("/services"), people.ASHA_MOBILE)


async def test_somebody_elses_service_looks_like_none(chidi: Browser) -> None:
    assert (await chidi.open(f"/services/{people.ASHA_MOBILE}")).status == 404
    assert (await chidi.open(f"/services/{uuid4()}")).status == 404
    assert (await chidi.open("/services/not-an-id")).status == 404


async def test_who_uses_one_line_sees_that_line_alone(femi: Browser) -> None:
    page = await femi.open("/services")
    assert names(page) == ["Femi Adeyemi"]
    assert (await femi.open(f"/services/{people.bloom_service(0)}")).status == 200
    assert (await femi.open(f"/services/{people.bloom_service(1)}")).status == 404


async def test_who_may_only_look_is_offered_nothing_to_buy(ben: Browser) -> None:
    page = await ben.open("/services")
    assert not page.has_link("/topup/")


async def test_what_waits_for_a_payment_says_how_much_first(chidi: Browser) -> None:
    page = await chidi.open("/services")
    shown = page.by_id(f"service-{people.CHIDI_SUSPENDED}")
    first = " ".join(shown.xpath("string((.//*[@class='actions']/a)[1])").split())
    assert first.startswith("Pay £"), first
    assert "to switch on again" in first


async def test_what_leaving_costs_stands_with_the_contract(asha: Browser) -> None:
    assert "Leaving now costs £" in (await asha.open(f"/services/{people.ASHA_MOBILE}")).text


async def test_where_cancelling_is_not_offered_one_asks_for_it(demo_url: str) -> None:
    async with site.running(site.settings_for(demo_url, SELFCARE_FLAGS="-cancel")) as app:
        asha = Browser(app, name="asha")
        await asha.sign_in(people.ASHA.email)
        page = await asha.open(f"/services/{people.ASHA_MOBILE}")
        (link,) = page.html.xpath("//a[text()='Ask us to cancel it']/@href")
        assert (await asha.open(link)).field("about").value == str(people.ASHA_MOBILE)
        assert (await asha.open(f"/services/{people.ASHA_MOBILE}/cancel")).status == 404
        await asha.close()
