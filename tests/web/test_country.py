"""From which country somebody comes: said by the web server in front, believed only where the settings name it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from selfcare.app import Application
from selfcare.demo import people
from tests.support import site
from tests.support.browser import Browser
from tests.support.mail import mails_to


@pytest.fixture
async def abroad(demo_url: str) -> AsyncIterator[Application]:
    async with site.running(site.settings_for(demo_url, SELFCARE_COUNTRY_HEADER="X-Country")) as app:
        yield app


async def sign_in(app: Application, **headers: str) -> str:
    """Twice, from two devices, because the first ever sign-in is no news; the mail about the second."""
    for device in ("Firefox/140.0", "Chrome/140.0 Android"):
        browser = Browser(app)
        form = await browser.open("/sign-in", **headers)
        fields = {name: form.field(name).value for name in ("csrf",)}
        fields |= {"email": people.ASHA.email, "password": people.PASSWORD}
        await browser.post("/sign-in", fields, **{"User-Agent": device}, **headers)
        await browser.close()
    mails = [mail.text for mail in await mails_to(app, people.ASHA.email) if "have not seen this device" in mail.text]
    assert mails
    return mails[-1]


async def test_the_mail_about_a_new_device_names_the_country(abroad: Application) -> None:
    assert "in France" in await sign_in(abroad, **{"X-Country": "FR"})


@pytest.mark.parametrize("said", ["XX", "T1", "fr<b>", "", "FRA"])
async def test_what_is_no_country_is_not_named(abroad: Application, said: str) -> None:
    assert "from Chrome on Android. We have not seen" in await sign_in(abroad, **{"X-Country": said})


async def test_nobody_may_say_it_where_no_header_is_named(app: Application) -> None:
    assert "from Chrome on Android. We have not seen" in await sign_in(app, **{"X-Country": "FR"})
