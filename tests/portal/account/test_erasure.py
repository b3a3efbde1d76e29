"""Being forgotten: what is in the way, what can be taken back, what goes and what stays."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.engine import database, transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one
from selfcare.demo import people
from selfcare.jobs.registry import Job
from selfcare.kernel import clock, ids
from selfcare.portal.account.erasure.erasures import COOLING_OFF, Eraser
from selfcare.portal.billing import ledger
from tests.support.browser import Browser
from tests.support.mail import link_in, mails_to
from tests.support.schema import read_schema

TEXT = "Please look at this: Asha Patel of Larch Road asks."
STATE = Prepared.sql("SELECT state FROM erasure WHERE user_id = :user_id ORDER BY asked_at DESC LIMIT 1")
USER = Prepared.sql("SELECT email, phone, display_name, password_hash, disabled_at FROM app_user WHERE id = :user_id")
MEMBER = Prepared.sql("SELECT id FROM membership WHERE user_id = :user_id AND removed_at IS NULL")
BILLS = Prepared.sql("SELECT number, net_minor, tax_minor, paid_minor, state FROM invoice ORDER BY number")
END_SERVICES = Prepared.sql(
    """
    UPDATE service SET state = 'ended', end_reason = 'cancelled', suspend_reason = NULL, ended_at = :now
     WHERE customer_id = :customer_id
    """
)
PAY_BILLS = Prepared.sql(
    "UPDATE invoice SET state = 'settled', paid_minor = net_minor + tax_minor WHERE customer_id = :customer_id"
)
NEW_BILL = Prepared.sql(
    """
    INSERT INTO invoice (id, customer_id, number, kind, date, due_on, currency, net_minor, tax_minor, paid_minor,
        state, created_at)
    VALUES (:id, :customer_id, 'INV-LATE', 'regular', '2026-12-01', '2026-12-15', 'GBP', 100, 20, 0, 'issued', :now)
    """
)
# Where a name or an address may still stand afterwards, and why.
STAYS = {
    ("customer", "name"): "stands on bills",
    ("customer", "billing_address"): "stands on bills",
    ("sim_customer", "name"): "the pretended bank's own",
    ("sim_card", "holder"): "the pretended bank's own",
    ("search_word", "key"): "staff find bills by the name on them",
    ("service", "name"): "the number itself, which was given back",
    ("service", "msisdn"): "the number itself, which was given back",
}


async def ask(browser: Browser) -> None:
    page = await (await browser.open("/account/erasure")).submit("erasure-form")
    assert page.status == 200, page.text
    assert "Your data will be erased on" in page.text


async def come_due(app: Application) -> None:
    clock.travel_by(COOLING_OFF + timedelta(minutes=1))
    await Eraser(app.ports.jobs, app.ports.messages).erase_due(Job(ids.new_id(), "x", "x", {}, 1))


async def nothing_open(someone: people.Someone) -> None:
    assert someone.home is not None
    async with transaction():
        await execute(END_SERVICES.bind(customer_id=someone.home.id, now=clock.now()))
        await execute(PAY_BILLS.bind(customer_id=someone.home.id))


async def found(*words: str) -> set[tuple[str, str]]:
    """Every column of every table in which one of the words stands."""
    hits = set()
    for table, columns in (await read_schema()).items():
        texts = [name for name, column in columns.items() if re.match("TEXT|VARCHAR|JSONB", column.type)]
        for name in texts:
            (rows,) = await database().engine.batch_read(
                [(f'SELECT CAST("{name}" AS TEXT) AS words FROM "{table}"', ())]
            )
            if any(word.lower() in str(row["words"]).lower() for row in rows for word in words):
                hits.add((table, name))
    return hits


async def test_the_person_goes_and_the_books_stay(app: Application, asha: Browser) -> None:
    await nothing_open(people.ASHA)
    await (await asha.open("/account/requests/new/other")).submit("request-form", text=TEXT)
    bills = await fetch(BILLS.bind())
    assert {("app_user", "email"), ("contact", "name"), ("request", "text")} <= await found("asha@example", "Patel")
    await ask(asha)
    await app.catch_up()
    await come_due(app)
    assert await fetch_one(STATE.bind(user_id=people.ASHA.id)) == {"state": "done"}
    row = await fetch_one(USER.bind(user_id=people.ASHA.id)) or {}
    assert (row["phone"], row["password_hash"], row["display_name"]) == (None, None, "Erased person")
    assert people.ASHA.email not in row["email"]
    assert await fetch(MEMBER.bind(user_id=people.ASHA.id)) == []
    assert await fetch(BILLS.bind()) == bills
    left = await found(people.ASHA.email, "Asha Patel", people.ASHA.phone, "14 Larch Road", "Meera Patel")
    assert left - STAYS.keys() == set()
    assert await audit.verify() == []
    assert await ledger.check() == []
    assert (await asha.open("/")).path.startswith("/sign-in")
    assert (await Browser(app).sign_in(people.ASHA.email)).path.startswith("/sign-in")


async def test_a_person_beside_others_goes_alone(app: Application, ben: Browser, asha: Browser) -> None:
    page = await ben.open("/account/erasure")
    assert "others look after it" in page.text
    await ask(ben)
    await come_due(app)
    left = await found(people.BEN.email, "Ben Patel", people.BEN.phone)
    # Asha's calls to Ben are hers.
    assert left - {("usage_record", "other_party"), *STAYS} == set()
    assert (await Browser(app).sign_in(people.ASHA.email)).status == 200
    home = await fetch_one(Prepared.sql("SELECT status FROM customer WHERE id = :id").bind(id=people.PATEL.id))
    assert home == {"status": "open"}


async def test_open_bills_and_services_are_in_the_way_and_listed(asha: Browser) -> None:
    page = await asha.open("/account/erasure")
    assert "What has to end first" in page.text
    assert not page.html.xpath("//form[@id='erasure-form']")
    assert page.html.xpath("//a[contains(@href, '/billing/invoices/')]")
    assert page.html.xpath("//a[contains(@href, '/services/')]")
    forced = await asha.post("/account/erasure", {"csrf": await asha.csrf()})
    assert forced.status == 409
    assert await fetch_one(STATE.bind(user_id=people.ASHA.id)) is None


async def test_the_link_in_the_mail_stops_it_without_a_sign_in(
    app: Application, empty: Browser, visitor: Browser
) -> None:
    await ask(empty)
    link = await link_in(app, people.EMPTY.email, "erased in 14 days")
    page = await visitor.open(link)
    assert "token" not in page.path
    done = await page.submit("cancel-form")
    assert done.status == 200
    assert "Nothing is erased" in done.text
    assert await fetch_one(STATE.bind(user_id=people.EMPTY.id)) == {"state": "cancelled"}
    assert (await visitor.open(link)).status == 404
    assert any("Your data stays" in mail.subject for mail in await mails_to(app, people.EMPTY.email))
    await come_due(app)
    row = await fetch_one(USER.bind(user_id=people.EMPTY.id)) or {}
    assert row["email"] == people.EMPTY.email


async def test_it_can_be_stopped_on_the_page_and_asked_again(app: Application, empty: Browser) -> None:
    await ask(empty)
    page = await (await empty.open("/account/erasure")).submit("stop-form")
    assert "Erase my data in 14 days" in page.text
    again = await empty.post("/account/erasure/stop", {"csrf": await empty.csrf()})
    assert again.status == 409
    await ask(empty)
    activity = (await empty.open("/activity")).text
    assert "Erasure was asked for" in activity
    assert "The erasure was cancelled" in activity


async def test_asked_twice_is_asked_once(app: Application, empty: Browser) -> None:
    await ask(empty)
    again = await empty.post("/account/erasure", {"csrf": await empty.csrf()})
    assert again.status == 409
    assert "asked for it already" in again.text


async def test_not_before_its_day_and_done_twice_is_done_once(app: Application, empty: Browser) -> None:
    await ask(empty)
    eraser, job = Eraser(app.ports.jobs, app.ports.messages), Job(ids.new_id(), "x", "x", {}, 1)
    clock.travel_by(COOLING_OFF - timedelta(minutes=1))
    await eraser.erase_due(job)
    assert await fetch_one(STATE.bind(user_id=people.EMPTY.id)) == {"state": "asked"}
    clock.travel_by(timedelta(minutes=2))
    for _n in range(2):
        await eraser.erase_due(job)
    assert await fetch_one(STATE.bind(user_id=people.EMPTY.id)) == {"state": "done"}
    assert await audit.verify() == []


async def test_a_bill_that_came_meanwhile_puts_it_off_and_says_so(app: Application, empty: Browser) -> None:
    await ask(empty)
    async with transaction():
        await execute(NEW_BILL.bind(id=ids.new_id(), customer_id=people.NEWMAN.id, now=clock.now()))
    await come_due(app)
    assert await fetch_one(STATE.bind(user_id=people.EMPTY.id)) == {"state": "blocked"}
    assert any("could not erase" in mail.subject for mail in await mails_to(app, people.EMPTY.email))


async def test_it_asks_who_you_are_first(empty: Browser) -> None:
    page = await empty.open("/account/erasure")
    clock.travel_by(timedelta(minutes=15))
    answer = await empty.post("/account/erasure", {"csrf": page.field("csrf").value}, follow=False)
    assert answer.headers["location"].startswith("/sign-in/prove")
    assert await fetch_one(STATE.bind(user_id=people.EMPTY.id)) is None


@pytest.mark.parametrize("link", ["/account/erasure/cancel", "/account/erasure/cancel?token=nonsense"])
async def test_a_dead_link_says_so(visitor: Browser, link: str) -> None:
    page = await visitor.open(link)
    assert page.status == 404
