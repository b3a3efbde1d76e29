"""Of 24 guesses by two processes at once exactly five are looked at; of 24 uses of one link exactly one counts."""

from __future__ import annotations

from selfcare.app import Application
from selfcare.audit.tables import AuditEvent
from tests.portal.sign_in.runners import together
from tests.support.browser import Browser
from tests.support.mail import link_in, mails_to


async def test_five_guesses_reach_the_hash_and_one_lock_is_told(
    app: Application, demo_url: str, visitor: Browser
) -> None:
    assert await together(demo_url, "guess", "asha@example.test", "Wrong-Pass-1!") == 5
    assert await AuditEvent.count().where(AuditEvent.event == "sign_in.locked") == 1
    assert len(await mails_to(app, "asha@example.test")) == 2, "one notice, one way back"
    assert "Locked" in (await visitor.sign_in("asha@example.test")).text


async def test_an_address_nobody_has_is_counted_as_exactly(app: Application, demo_url: str) -> None:
    assert await together(demo_url, "guess", "nobody@example.test", "Wrong-Pass-1!") == 5
    assert await mails_to(app, "nobody@example.test") == []


async def test_a_link_for_a_new_password_sets_one(app: Application, demo_url: str, visitor: Browser) -> None:
    await (await visitor.open("/sign-in/forgot")).submit("forgot-form", email="asha@example.test")
    token = (await link_in(app, "asha@example.test", "password")).partition("token=")[2]
    assert await together(demo_url, "reset", token, "Brand-New-77!") == 1
    assert await AuditEvent.count().where(AuditEvent.event == "sign_in.reset_done") == 1
