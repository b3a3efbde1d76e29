"""Name, phone and e-mail address: what a person may change about themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.demo import people
from selfcare.kernel import clock
from tests.support.browser import Browser, Page
from tests.support.mail import link_in, mails_to

OLD, NEW = "asha@example.test", "asha.new@example.test"


async def ask(asha: Browser, address: str = NEW) -> Page:
    return await (await asha.open("/account/email")).submit("email-form", email=address)


async def test_the_account_shows_what_the_brief_lists(asha: Browser) -> None:
    page = await asha.open("/account")
    for words in ("Customer ID", "100201", "Account created", "Individual", "Contacts", "Sites", "Primary contact"):
        assert words in page.text


async def test_the_display_name_is_changed_in_place(asha: Browser) -> None:
    form = await asha.open("/account/name")
    assert form.field("name").value == "Asha Patel"
    assert "Asha P." in (await form.submit("name-form", name="  Asha P. ")).text


async def test_name_and_phone_are_edited_where_they_stand(asha: Browser) -> None:
    page = await asha.open("/account")
    for field in ("name", "phone"):
        link = page.one(f"//section[@id='account-you']//a[@hx-get='/account/{field}']")
        assert link.get("hx-target") == "#account-you"
        part = await asha.open(f"/account/{field}", htmx=True)
        assert part.html.get("id") == f"account-details-{field}"
    clock.travel_by(timedelta(minutes=11))
    assert not (await asha.open("/account")).html.xpath("//a[@hx-get='/account/phone']")


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "a\x07b"])
async def test_a_bad_name_is_refused_beside_the_field(asha: Browser, name: str) -> None:
    page = await (await asha.open("/account/name")).submit("name-form", name=name)
    assert page.status == 422
    assert page.error("name")


async def test_a_phone_number_is_kept_in_one_form_and_its_owner_told(app: Application, asha: Browser) -> None:
    page = await (await asha.open("/account/phone")).submit("phone-form", phone="07700 900555")
    assert "+44 7700 900555" in page.text
    assert "was changed to +44 ••• 555" in (await mails_to(app, "asha@example.test"))[-1].text


async def test_a_bad_phone_number_keeps_what_was_typed(asha: Browser) -> None:
    page = await (await asha.open("/account/phone")).submit("phone-form", phone="12")
    assert page.status == 422
    assert page.field("phone").value == "12"


async def test_a_new_address_counts_only_after_its_owner_confirmed(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    await ask(asha)
    assert (await visitor.sign_in(NEW)).status == 422
    page = await visitor.open(await link_in(app, NEW, "confirm"))
    assert (await page.submit("confirm-form")).status == 200
    assert (await asha.open("/", follow=False)).status == 303, "every sign-in ends"
    assert (await visitor.sign_in(NEW)).path == "/"


async def test_the_old_address_is_told_and_can_take_it_back(app: Application, asha: Browser, visitor: Browser) -> None:
    await ask(asha)
    confirm, cancel = await link_in(app, NEW, "confirm"), await link_in(app, OLD, "address")
    await (await visitor.open(confirm)).submit("confirm-form")
    clock.travel_by(timedelta(hours=71))
    assert (await (await visitor.open(cancel)).submit("cancel-form")).status == 200
    assert (await visitor.sign_in(NEW)).status == 422
    assert (await visitor.sign_in(OLD)).path == "/"


async def test_taken_back_before_it_was_confirmed_the_link_is_dead(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    await ask(asha)
    confirm, cancel = await link_in(app, NEW, "confirm"), await link_in(app, OLD, "address")
    await (await visitor.open(cancel)).submit("cancel-form")
    assert (await visitor.open(confirm)).status == 404


async def test_a_taken_address_is_answered_in_the_same_words_and_gets_no_link(app: Application, asha: Browser) -> None:
    free = await ask(asha)
    taken = await ask(asha, "chidi@example.test")
    assert taken.text.replace("chidi@example.test", NEW) == free.text
    assert await mails_to(app, "chidi@example.test") == []


async def test_after_a_day_the_link_is_dead(app: Application, asha: Browser, visitor: Browser) -> None:
    await ask(asha)
    link = await link_in(app, NEW, "confirm")
    clock.travel_by(timedelta(hours=24))
    assert (await visitor.open(link)).status == 404


async def test_a_stale_proof_is_asked_for_again(asha: Browser) -> None:
    clock.travel_by(timedelta(minutes=11))
    asked = await asha.open("/account/email")
    assert asked.path.startswith("/sign-in/prove")
    back = await asked.submit("prove-form", password="Demo-Pass-1!")
    assert back.path == "/account/email"


async def test_four_changes_a_day_are_too_many(asha: Browser) -> None:
    statuses = [(await ask(asha, f"n{n}@example.test")).status for n in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_a_site_names_its_services_and_leads_to_a_map(asha: Browser, ben: Browser) -> None:
    for browser in (asha, ben):
        page = await browser.open("/account")
        (home,) = [
            one for one in page.html.xpath("//li[starts-with(@id, 'site-')]") if "14 Larch Road" in one.text_content()
        ]
        assert home.xpath(".//a/@href")[0] == f"/services/{people.ASHA_INTERNET}"
        (map_link,) = home.xpath(".//a[starts-with(@href, 'https://www.openstreetmap.org/search?query=14+Larch+Road')]")
        assert "noreferrer" in map_link.get("rel")
