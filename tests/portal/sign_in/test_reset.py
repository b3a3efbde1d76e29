"""A forgotten password: a link that works once, for one hour, tells nobody anything and opens nothing by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.kernel import clock
from tests.support.browser import Browser, Page
from tests.support.mail import link_in, mails_to

NEW = "Brand-New-77!"


async def ask(visitor: Browser, email: str = "asha@example.test") -> Page:
    return await (await visitor.open("/sign-in/forgot")).submit("forgot-form", email=email)


async def follow(app: Application, visitor: Browser) -> Page:
    return await visitor.open(await link_in(app, "asha@example.test", "password"))


async def test_the_link_sets_a_new_password_and_the_old_one_is_gone(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    form = await follow(app, visitor)
    done = await form.submit("reset-form", new_password=NEW)
    assert "changed" in done.heading
    assert (await visitor.open("/", follow=False)).status == 303, "a reset signs nobody in"
    assert (await visitor.sign_in("asha@example.test")).status == 422
    assert (await visitor.sign_in("asha@example.test", NEW)).path == "/"


async def test_the_answer_is_the_same_for_an_unknown_address(app: Application, visitor: Browser) -> None:
    known, unknown = await ask(visitor), await ask(visitor, "nobody@example.test")
    assert known.status == unknown.status == 200
    assert known.text.replace("asha@", "nobody@") == unknown.text
    assert await mails_to(app, "nobody@example.test") == []


async def test_the_token_leaves_the_address_at_once(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    link = await link_in(app, "asha@example.test", "password")
    answer = await visitor.open(link, follow=False)
    assert answer.status == 303
    assert answer.headers["location"] == "/sign-in/reset"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_a_mail_scanner_that_opens_the_link_does_not_use_it_up(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    link = await link_in(app, "asha@example.test", "password")
    scanner = Browser(app, name="scanner")
    for _ in range(3):
        await scanner.open(link)
    await scanner.close()
    done = await (await visitor.open(link)).submit("reset-form", new_password=NEW)
    assert "changed" in done.heading


async def test_the_link_works_once(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    link = await link_in(app, "asha@example.test", "password")
    form = await visitor.open(link)
    await form.submit("reset-form", new_password=NEW)
    assert (await visitor.open(link)).status == 404
    again = await form.submit("reset-form", new_password="Other-New-88!")
    assert again.status == 404


async def test_a_dead_link_says_so_and_offers_a_new_one(visitor: Browser) -> None:
    page = await visitor.open("/sign-in/reset?token=never-was-one")
    assert page.status == 404
    assert page.heading == "This link no longer works"
    assert page.has_link("/sign-in/forgot")


async def test_only_the_newest_link_works(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    first = await link_in(app, "asha@example.test", "password")
    await ask(visitor)
    second = await link_in(app, "asha@example.test", "password")
    assert first != second
    assert (await visitor.open(first)).status == 404
    assert (await visitor.open(second)).status == 200


async def test_after_an_hour_it_is_dead(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    link = await link_in(app, "asha@example.test", "password")
    clock.travel_by(timedelta(minutes=59))
    assert (await visitor.open(link)).status == 200
    clock.travel_by(timedelta(minutes=1))
    assert (await visitor.open(link)).status == 404


@pytest.mark.parametrize("token", ["x", "A" * 43, "", "%00", "A" * 5_000])
async def test_an_altered_link_is_dead(visitor: Browser, token: str) -> None:
    assert (await visitor.open(f"/sign-in/reset?token={token}")).status == 404


async def test_all_unmet_rules_are_told_at_once_and_the_link_lives_on(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    form = await follow(app, visitor)
    weak = await form.submit("reset-form", new_password="abc")
    assert weak.status == 422
    words = weak.error("new_password")
    for part in ("8 characters", "upper case", "digit", "signs"):
        assert part in words
    assert "changed" in (await weak.submit("reset-form", new_password=NEW)).heading


async def test_everybody_who_was_signed_in_is_out(app: Application, asha: Browser, visitor: Browser) -> None:
    await ask(visitor)
    await (await follow(app, visitor)).submit("reset-form", new_password=NEW)
    assert (await asha.open("/", follow=False)).status == 303


async def test_a_finished_reset_unlocks(app: Application, visitor: Browser) -> None:
    for _ in range(5):
        await visitor.sign_in("asha@example.test", "Wrong-Pass-1!")
    await (await follow(app, visitor)).submit("reset-form", new_password=NEW)
    assert (await visitor.sign_in("asha@example.test", NEW)).path == "/"


async def test_the_owner_is_told(app: Application, visitor: Browser) -> None:
    await ask(visitor)
    await (await follow(app, visitor)).submit("reset-form", new_password=NEW)
    assert len(await mails_to(app, "asha@example.test")) == 2


async def test_a_fourth_request_in_an_hour_sends_nothing_and_says_nothing(app: Application, visitor: Browser) -> None:
    answers = [(await ask(visitor)).text for _ in range(4)]
    assert len(set(answers)) == 1
    assert len(await mails_to(app, "asha@example.test")) == 3


async def test_six_requests_from_one_address_are_too_many(visitor: Browser) -> None:
    assert [(await ask(visitor, f"n{n}@example.test")).status for n in range(6)] == [200] * 5 + [429]


async def test_links_are_built_from_our_address_whatever_the_host_header_says(
    app: Application, visitor: Browser
) -> None:
    page = await visitor.open("/sign-in/forgot")
    fields = {"csrf": page.field("csrf").value, "email": "asha@example.test"}
    await visitor.post("/sign-in/forgot", fields, Host="evil.example")
    for mail in await mails_to(app, "asha@example.test"):
        assert "evil.example" not in mail.source


async def test_a_malformed_address_is_told_beside_the_field(visitor: Browser) -> None:
    page = await ask(visitor, "asha at example")
    assert page.status == 422
    assert page.field("email").value == "asha at example"
    assert "name@example.com" in page.error("email")


async def test_that_was_not_me_ends_everything_and_sends_a_link(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    clock.travel_by(timedelta(minutes=1))
    stranger = Browser(app, name="a new phone")
    stranger.client.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/142.0 Mobile"
    await stranger.sign_in("asha@example.test")
    link = await link_in(app, "asha@example.test", "sign-in")
    assert "from Chrome on Android." in (await mails_to(app, "asha@example.test"))[-1].text
    page = await visitor.open(link)
    assert page.path == "/sign-in/not-me"
    done = await page.submit("not-me-form")
    assert done.status == 200
    for browser in (asha, stranger):
        assert (await browser.open("/", follow=False)).status == 303
    assert (await visitor.open(await link_in(app, "asha@example.test", "password"))).status == 200
    await stranger.close()
