from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.demo import people
from selfcare.kernel import clock
from tests.pages import check
from tests.support.browser import Browser
from tests.support.site import running, settings_for


async def send_reset(app: Application, key: str = "reset") -> None:
    async with transaction():
        await app.ports.messages.send_later(
            "account.password_reset",
            dedupe_key=key,
            to_address="asha@example.test",
            until=clock.now() + timedelta(hours=1),
            path="/sign-in?token=one",
        )
    await app.catch_up()


async def test_a_mail_of_the_portal_stands_in_the_outbox_and_its_link_works(app: Application, visitor: Browser) -> None:
    await send_reset(app)
    page = await visitor.open("/demo/outbox")
    assert "To asha@example.test, 22 Nov 2026, 12:00" in page.text
    [link] = page.html.xpath("//a[normalize-space()='Choose a new password']/@href")
    mail = await visitor.open(link)
    assert mail.heading == "Choose a new password"
    for part in ("mail-html", "mail-text"):
        assert "/sign-in?token=one" in mail.by_id(part).xpath(".//a/@href")
    assert (await visitor.open("/sign-in?token=one")).status == 200


async def test_both_pages_are_whole(app: Application, visitor: Browser) -> None:
    empty = await visitor.open("/demo/outbox")
    await send_reset(app)
    full = await visitor.open("/demo/outbox")
    mail = await visitor.open(full.html.xpath("//main//li//a/@href")[0])
    for page in (empty, full, mail):
        assert check.problems(page, lambda _path: True) == []


async def test_the_newest_stands_first_and_pages_follow(app: Application, visitor: Browser) -> None:
    for number in range(27):
        async with transaction():
            await app.ports.messages.send_later(
                "account.welcome", dedupe_key=f"w{number}", to_address=f"a{number}@example.test", customer="Bloom Ltd"
            )
    await app.catch_up()
    first = await visitor.open("/demo/outbox")
    assert len(first.html.xpath("//main//li")) == 25
    second = await visitor.open("/demo/outbox?page=2")
    assert len(second.html.xpath("//main//li")) == 2
    assert "a0@example.test" in second.text


async def test_what_is_no_page_and_no_mail_is_told_so(app: Application, visitor: Browser) -> None:
    for odd in ("0", "-1", "x", "9" * 30, "１"):
        assert (await visitor.open(f"/demo/outbox?page={odd}")).status == 200
    assert (await visitor.open("/demo/outbox/01900000-0000-7000-8000-000000000000")).status == 404
    assert (await visitor.open("/demo/outbox/nonsense")).status == 404


async def test_outside_the_demo_there_is_no_outbox(database_url: str) -> None:
    settings = settings_for(database_url, SELFCARE_ENV="development")

    async with running(settings) as app:
        browser = Browser(app)
        assert (await browser.open("/demo/outbox")).status == 404
        await browser.close()


def test_the_demo_writes_only_to_made_up_addresses() -> None:
    assert all(person.email.endswith(".test") for person in people.EVERYBODY)
