"""A sign-in without anybody's help: by a number of one's own, or as a new customer; strangers learn nothing."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.audit.tables import AuditEvent
from selfcare.db.engine import transaction
from selfcare.demo import people
from selfcare.identity.tables import Customer, Membership, User
from selfcare.kernel import clock
from tests.support.browser import Browser, Page
from tests.support.mail import link_in, mails_to

EMAIL, PASSWORD = "otto@example.test", "Brand-New-77!"


async def ask(browser: Browser, phone: str = people.FREY_PHONE, email: str = EMAIL) -> Page:
    page = await browser.open("/sign-up/number")
    return await page.submit("number-form", phone=phone, email=email)


async def texted(app: Application, phone: str = people.FREY_PHONE) -> list[str]:
    return [text.text for text in await mails_to(app, phone)]


async def code(app: Application) -> str:
    found = re.search(r"\b\d{6}\b", (await texted(app))[-1])
    assert found
    return found[0]


async def finish(visitor: Browser, link: str, **fields: str) -> Page:
    page = await visitor.open(link)
    return await page.submit("finish-form", **({"name": "Otto Frey", "new_password": PASSWORD} | fields))


async def test_who_holds_the_number_becomes_the_owner_of_its_customer(app: Application, visitor: Browser) -> None:
    page = await ask(visitor, "07700 900350", " Otto@Example.test ")
    assert page.path == "/sign-up/code"
    sent = await page.submit("code-form", code=await code(app))
    assert "otto@example.test" in sent.text
    page = await visitor.open(await link_in(app, EMAIL, "Finish"))
    assert page.path == "/sign-up/finish"
    assert "You will look after Otto Frey as its owner." in page.text
    assert (await page.submit("finish-form", name="Otto Frey", new_password=PASSWORD)).heading == "You are in"
    inside = await visitor.sign_in(EMAIL, PASSWORD)
    assert inside.path == "/"
    assert "+44 7700 900350" in (await visitor.open("/services")).text
    assert (await visitor.open("/account/people")).status == 200
    assert any("Welcome" in mail.subject for mail in await mails_to(app, EMAIL))
    made = AuditEvent.count().where(AuditEvent.event == "account.created")
    assert await made.where(AuditEvent.customer_id == people.FREY.id) == 1


async def test_a_new_customer_starts_with_nothing(app: Application, visitor: Browser) -> None:
    await (await visitor.open("/sign-up/new")).submit("new-form", email="nia@example.test")
    await finish(visitor, await link_in(app, "nia@example.test", "Finish"), name="Nia New")
    assert (await visitor.sign_in("nia@example.test", PASSWORD)).path == "/"
    (customer,) = await Customer.select().where(Customer.name == "Nia New")
    assert (customer["type"], customer["status"], customer["currency"]) == ("individual", "open", "GBP")
    assert customer["number"] in (await visitor.open("/account")).text


async def test_somebody_with_a_sign_in_adds_the_number_to_it(app: Application, chidi: Browser) -> None:
    page = await ask(chidi, email="chidi@example.test")
    await page.submit("code-form", code=await code(app))
    page = await chidi.open(await link_in(app, "chidi@example.test", "Finish"))
    inside = await page.submit("accept-form")
    assert inside.path == "/"
    assert "Otto Frey 100204" in inside.text


@pytest.mark.parametrize("phone", [people.ASHA.phone, "+447700900999"], ids=["taken", "unknown"])
async def test_a_number_that_is_not_free_reads_the_same_and_opens_nothing(
    app: Application, visitor: Browser, phone: str
) -> None:
    free = await ask(visitor)
    other = await ask(visitor, phone)
    assert other.text == free.text
    assert (await other.submit("code-form", code="123456")).status == 422
    for text in await texted(app, phone):
        assert "invite you" in text
        assert not re.search(r"\d{6}", text)
    assert await mails_to(app, EMAIL) == []


async def test_a_known_address_is_answered_as_any_other(app: Application, visitor: Browser) -> None:
    said = []
    for email in ("asha@example.test", "nobody@example.test"):
        page = await (await visitor.open("/sign-up/new")).submit("new-form", email=email)
        said.append(page.text.replace(email, "…"))
        assert len(await mails_to(app, email)) == 1
    assert said[0] == said[1]
    page = await visitor.open(await link_in(app, "asha@example.test", "Finish"))
    assert "There is a sign-in with asha@example.test already." in page.text


async def test_after_five_wrong_codes_one_starts_again(app: Application, visitor: Browser) -> None:
    page = await ask(visitor)
    right = await code(app)
    for _ in range(5):
        page = await page.submit("code-form", code="000000")
        assert "That code is wrong" in page.text
    assert "Start again" in (await page.submit("code-form", code=right)).text
    assert await mails_to(app, EMAIL) == []


async def test_a_code_is_too_late_after_ten_minutes_and_works_once(app: Application, visitor: Browser) -> None:
    page = await ask(visitor)
    right = await code(app)
    await page.submit("code-form", code=right)
    assert "Start again" in (await page.submit("code-form", code=right)).text
    page = await ask(visitor)
    right = await code(app)
    clock.travel_by(timedelta(minutes=10))
    assert "Start again" in (await page.submit("code-form", code=right)).text
    assert len(await mails_to(app, EMAIL)) == 1


async def test_full_width_digits_are_no_code(app: Application, visitor: Browser) -> None:
    page = await ask(visitor)
    wide = (await code(app)).translate({ord(str(n)): 0xFF10 + n for n in range(10)})
    assert (await page.submit("code-form", code=wide)).status == 422


async def test_of_two_links_for_one_number_the_first_counts(app: Application, visitor: Browser) -> None:
    links = []
    for email in (EMAIL, "thief@example.test"):
        await (await ask(visitor, email=email)).submit("code-form", code=await code(app))
        links.append(await link_in(app, email, "Finish"))
    await finish(visitor, links[0])
    late = await finish(visitor, links[1])
    assert late.status == 404
    assert late.heading == "This link no longer works"
    assert await User.count().where(User.email == "thief@example.test") == 0
    assert await Membership.count().where(Membership.customer_id == people.FREY.id) == 1


async def test_a_link_works_once_and_for_a_day(app: Application, visitor: Browser) -> None:
    await (await visitor.open("/sign-up/new")).submit("new-form", email="nia@example.test")
    link = await link_in(app, "nia@example.test", "Finish")
    await finish(visitor, link)
    assert (await visitor.open(link)).status == 404
    await (await visitor.open("/sign-up/new")).submit("new-form", email="max@example.test")
    link = await link_in(app, "max@example.test", "Finish")
    clock.travel_by(timedelta(hours=24))
    assert (await visitor.open(link)).status == 404


async def test_all_that_is_wrong_is_told_at_once_and_the_link_lives_on(app: Application, visitor: Browser) -> None:
    await (await visitor.open("/sign-up/new")).submit("new-form", email="nia@example.test")
    link = await link_in(app, "nia@example.test", "Finish")
    page = await finish(visitor, link, name="", new_password="short")
    assert page.error("name")
    assert "Use at least 8 characters." in page.error("new_password")
    assert (await finish(visitor, link)).heading == "You are in"


@pytest.mark.parametrize(("field", "value"), [("phone", "call me"), ("email", "otto at home"), ("phone", "")])
async def test_what_makes_no_sense_is_told_beside_the_field(visitor: Browser, field: str, value: str) -> None:
    page = await (await visitor.open("/sign-up/number")).submit(
        "number-form", **({"phone": people.FREY_PHONE, "email": EMAIL} | {field: value})
    )
    assert page.status == 422
    assert page.error(field)


async def test_a_fourth_text_in_an_hour_is_not_sent_and_nobody_learns_it(app: Application, visitor: Browser) -> None:
    said = {(await ask(visitor)).text for _ in range(4)}
    assert len(said) == 1
    assert len(await texted(app)) == 3


async def test_a_number_that_was_freed_by_removal_is_free_again(app: Application, visitor: Browser) -> None:
    await (await ask(visitor)).submit("code-form", code=await code(app))
    await finish(visitor, await link_in(app, EMAIL, "Finish"))
    async with transaction():
        await Membership.update({Membership.removed_at: clock.now()}).where(Membership.customer_id == people.FREY.id)
    await ask(visitor, email="new@example.test")
    assert "is your code" in (await texted(app))[-1]
