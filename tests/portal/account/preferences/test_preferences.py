"""Language, time zone and theme: pages and mails follow the person, days of use the account."""

from __future__ import annotations

import pytest

from selfcare.app import Application
from selfcare.audit.tables import AuditEvent
from selfcare.identity.tables import User
from tests.support.browser import Browser
from tests.support.mail import mails_to


async def test_times_are_shown_on_the_clock_that_was_chosen(asha: Browser, ben: Browser) -> None:
    page = await asha.open("/account/preferences")
    assert "22 Nov 2026, 12:00" in page.text
    assert (await page.submit("preferences-form", zone="Asia/Kolkata")).path == "/account"
    saved = await asha.open("/account/preferences")
    assert "22 Nov 2026, 17:30" in saved.text
    assert saved.field("zone").value == "Asia/Kolkata"
    assert "22 Nov 2026, 17:30" in (await asha.open("/activity")).text
    assert "22 Nov 2026, 12:00" in (await ben.open("/account/preferences")).text
    assert await AuditEvent.count().where(AuditEvent.event == "account.details_changed") == 1


async def test_what_is_chosen_but_not_saved_is_shown_as_an_example(asha: Browser) -> None:
    part = await asha.open("/account/preferences?zone=America/New_York", htmx=True)
    assert part.html.get("id") == "account-preferences-example"
    assert "22 Nov 2026, 07:00" in part.text
    assert "£1,234.50" in part.text
    assert await User.count().where(User.zone.is_not_null()) == 0


async def test_the_theme_is_on_every_page(asha: Browser) -> None:
    assert (await asha.open("/")).one("/html").get("data-theme") is None
    await (await asha.open("/account/preferences")).submit("preferences-form", theme="dark")
    for path in ("/", "/account/preferences"):
        assert (await asha.open(path)).one("/html").get("data-theme") == "dark"


async def test_mails_follow(app: Application, asha: Browser) -> None:
    await (await asha.open("/account/preferences")).submit("preferences-form", zone="Asia/Kolkata")
    page = await asha.open("/account/password")
    await page.submit("password-form", current_password="Demo-Pass-1!", new_password="Brand-New-77!")
    assert "22 Nov 2026, 17:30" in (await mails_to(app, "asha@example.test"))[-1].text


async def test_staff_have_a_clock_too(dina: Browser) -> None:
    page = await dina.open("/account/preferences")
    assert (await page.submit("preferences-form", zone="Europe/Berlin")).status == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [("zone", "Europe/Nowhere"), ("zone", "../etc/passwd"), ("zone", "UTC"), ("theme", "pink"), ("language", "xx")],
)
async def test_what_is_not_offered_is_refused(asha: Browser, field: str, value: str) -> None:
    page = await (await asha.open("/account/preferences")).submit("preferences-form", **{field: value})
    assert page.status == 422
    assert page.html.xpath(f"//*[@role='alert']//a[@href='#{field}']")


async def test_nothing_changed_is_nothing_noted(asha: Browser) -> None:
    await (await asha.open("/account/preferences")).submit("preferences-form")
    assert await AuditEvent.count().where(AuditEvent.event == "account.details_changed") == 0
