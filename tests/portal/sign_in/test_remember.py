""" "Keep me signed in": a token of its own, new at each use; an old one betrays a thief."""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.kernel import clock
from tests.support.browser import Browser
from tests.support.mail import mails_to


async def come_back_tomorrow(browser: Browser) -> str:
    clock.travel_by(timedelta(days=1))
    return (await browser.open("/billing")).path


async def test_tomorrow_one_is_still_in_and_where_one_wanted_to_be(visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", remember="on")
    assert await come_back_tomorrow(visitor) == "/billing"


async def test_without_the_tick_one_is_not(visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test")
    assert (await come_back_tomorrow(visitor)).startswith("/sign-in")


async def test_after_thirty_days_the_password_is_asked_for(visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", remember="on")
    clock.travel_by(timedelta(days=31))
    assert (await visitor.open("/")).path.startswith("/sign-in")


async def test_signing_out_forgets_the_phone(visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", remember="on")
    await visitor.post("/sign-in/out", {"csrf": await visitor.csrf()})
    assert (await visitor.open("/")).path.startswith("/sign-in")


async def test_a_shared_phone_is_never_remembered(visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", remember="on", shared_device="on")
    assert visitor.client.cookies.get("__Host-stay") is None


async def test_staff_are_never_remembered(visitor: Browser) -> None:
    await visitor.sign_in("dina@example.test", remember="on")
    assert visitor.client.cookies.get("__Host-stay") is None


async def test_a_copied_token_kills_the_series_and_tells_the_owner(app: Application, visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", remember="on")
    copied = visitor.client.cookies.get("__Host-stay")
    assert await come_back_tomorrow(visitor) == "/billing"
    thief = Browser(app, name="thief")
    thief.client.cookies.set("__Host-stay", copied or "", domain="selfcare.test")
    clock.travel_by(timedelta(minutes=5))
    assert (await thief.open("/")).path.startswith("/sign-in")
    assert (await come_back_tomorrow(visitor)).startswith("/sign-in")
    assert len(await mails_to(app, "asha@example.test")) == 1
    await thief.close()


async def test_two_tabs_waking_up_at_once_are_no_thief(app: Application, visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", remember="on")
    cookie = visitor.client.cookies.get("__Host-stay")
    assert await come_back_tomorrow(visitor) == "/billing"
    tab = Browser(app, name="second tab")
    tab.client.cookies.set("__Host-stay", cookie or "", domain="selfcare.test")
    await tab.open("/")
    assert await mails_to(app, "asha@example.test") == []
    assert await come_back_tomorrow(visitor) == "/billing"
    await tab.close()


async def test_a_new_password_forgets_every_phone(app: Application, visitor: Browser) -> None:
    from tests.portal.sign_in.test_reset import ask, follow

    phone = Browser(app, name="phone")
    await phone.sign_in("asha@example.test", remember="on")
    await ask(visitor)
    await (await follow(app, visitor)).submit("reset-form", new_password="Brand-New-77!")
    assert (await come_back_tomorrow(phone)).startswith("/sign-in")
    await phone.close()


async def test_being_remembered_proves_nothing(visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", remember="on")
    await come_back_tomorrow(visitor)
    page = await visitor.open("/account/security/app")
    assert page.path.startswith("/sign-in/prove")
