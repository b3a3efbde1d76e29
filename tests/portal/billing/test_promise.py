"""A promise to pay: what is off for a missing payment comes back, once a month, and the day is held to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.kernel import clock
from selfcare.portal.billing.promise import promises
from tests.portal.services.test_resuming import look
from tests.support import broken
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to

PROMISES = Prepared.sql("SELECT customer_id, state, amount_minor FROM payment_promise ORDER BY asked_at")
STATE = Prepared.sql("SELECT state FROM service WHERE id = :id")
SUSPEND = Prepared.sql(
    "UPDATE service SET state = 'suspended', suspend_reason = :why, suspended_at = :now WHERE id = :id"
)
PAY = Prepared.sql(
    "UPDATE invoice SET paid_minor = net_minor + tax_minor WHERE customer_id = :customer_id AND due_on < :today"
)
MORE_DUE = Prepared.sql(
    "UPDATE invoice SET due_on = :due WHERE customer_id = :customer_id AND state = 'issued' AND due_on >= :due"
)
OPEN = ["open"]


async def states() -> list[str]:
    return [row["state"] for row in await fetch(PROMISES.bind())]


async def give(browser: Browser) -> Page:
    return await (await browser.open("/billing/promise")).submit("promise-form")


async def work(app: Application) -> None:
    """What the worker does every few minutes."""
    await look(app)
    await promises.end_due(app.ports.messages, clock.today("Europe/London"))


async def suspended(service: object = people.ASHA_MOBILE, why: str = "payment") -> None:
    await change(SUSPEND, id=service, why=why, now=clock.now())


async def is_on(service: object = people.ASHA_MOBILE) -> bool:
    return (await fetch(STATE.bind(id=service)))[0]["state"] == "active"


async def test_what_is_off_for_a_missing_payment_comes_back_until_the_day(app: Application, asha: Browser) -> None:
    await suspended()
    assert (await asha.open("/billing")).has_link("/billing/promise")
    page = await give(asha)
    assert "You have promised to pay by 29 Nov 2026." in page.text
    assert await states() == OPEN
    clock.travel_by(timedelta(minutes=2))
    await work(app)
    assert await is_on()
    assert "You have promised to pay by 29 Nov 2026." in (await asha.open("/billing")).text
    assert "You promised to pay by a day" in (await asha.open("/activity")).text
    mails = {mail.subject: mail.text for mail in await mails_to(app, people.ASHA.email)}
    assert any("You promised to pay £46.15 by 29 Nov 2026" in subject for subject in mails)
    assert any("You promised to pay by 29 Nov 2026: Mobile" in " ".join(text.split()) for text in mails.values())


async def test_what_is_off_for_another_reason_stays_off(app: Application, asha: Browser) -> None:
    await suspended(why="staff")
    await give(asha)
    clock.travel_by(timedelta(minutes=2))
    await work(app)
    assert not await is_on()


async def test_paying_keeps_it_and_it_is_possible_again_next_month(app: Application, asha: Browser) -> None:
    await give(asha)
    await change(PAY, customer_id=people.PATEL.id, today=clock.today("Europe/London"))
    clock.travel_by(timedelta(minutes=11))
    await work(app)
    assert await states() == ["kept"]
    await change(MORE_DUE, customer_id=people.PATEL.id, due=clock.today("Europe/London") - timedelta(days=1))
    assert "again from 1 Dec 2026" in (await asha.open("/billing/promise")).text
    clock.travel_by(timedelta(days=10))
    await work(app)
    await asha.sign_in(people.ASHA.email)
    await give(asha)
    assert await states() == ["kept", "open"]


async def test_a_day_that_passes_unpaid_breaks_it_and_the_next_is_half_a_year_away(
    app: Application, asha: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await give(asha)
    clock.travel_by(timedelta(days=7))
    await work(app)
    assert await states() == OPEN, "the day itself counts"
    clock.travel_by(timedelta(days=1))
    # One that cannot be ended keeps nobody else waiting.
    broken.first(monkeypatch, promises)
    await work(app)
    assert await states() == ["broken"]
    subjects = [mail.subject for mail in await mails_to(app, people.ASHA.email)]
    assert sum("£46.15 is still to pay" in subject for subject in subjects) == 1
    clock.travel_by(timedelta(days=60))
    await asha.sign_in(people.ASHA.email)
    assert "You can promise again from 28 May 2027." in (await asha.open("/billing/promise")).text
    await suspended()
    await work(app)
    assert not await is_on()


async def test_pressed_twice_it_is_one_promise_and_one_mail(app: Application, asha: Browser) -> None:
    page = await asha.open("/billing/promise")
    for _time in range(2):
        assert (await page.submit("promise-form")).status == 200
    assert await states() == OPEN
    subjects = [mail.subject for mail in await mails_to(app, people.ASHA.email)]
    assert sum("You promised to pay" in subject for subject in subjects) == 1


async def test_what_is_overdue_has_changed_meanwhile(asha: Browser) -> None:
    page = await asha.open("/billing/promise")
    await change(MORE_DUE, customer_id=people.PATEL.id, due=clock.today("Europe/London") - timedelta(days=1))
    refused = await page.submit("promise-form")
    assert (refused.status, await states()) == (409, [])
    assert "What is overdue has changed meanwhile." in refused.text
    assert (await refused.submit("promise-form")).status == 200
    assert await states() == OPEN


@pytest.mark.parametrize("shown", ["", "0/2026-11-29", "4615/2099-01-01", "x"])
async def test_a_tampered_form_promises_nothing(asha: Browser, shown: str) -> None:
    refused = await (await asha.open("/billing/promise")).submit("promise-form", shown=shown)
    assert (refused.status, await states()) == (409, [])


async def test_who_owes_nothing_and_who_may_not_pay_cannot_promise(empty: Browser, ben: Browser) -> None:
    assert "Nothing is overdue." in (await empty.open("/billing/promise")).text
    refused = await empty.post("/billing/promise", {"csrf": await empty.csrf("/billing"), "shown": ""})
    assert refused.status == 409
    assert not (await ben.open("/billing")).has_link("/billing/promise")
    assert (await ben.open("/billing/promise")).status == 404
