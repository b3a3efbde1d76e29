"""Requests as customers see them: made, answered, withdrawn."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.demo.people import fixed
from selfcare.kernel import clock
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to

OVERDUE = Prepared.sql(
    "SELECT i.number, t.id AS line_id FROM invoice i JOIN billing_transaction t ON t.invoice_id = i.id "
    "AND t.kind = 'charge' WHERE i.customer_id = :customer_id AND i.state = 'issued' AND i.kind = 'regular' "
    "ORDER BY i.due_on, i.number, t.id LIMIT 1"
)
TEXT = "Please look at this: it is not as it should be."
MINE = Prepared.sql("SELECT id, state, kind, about_words FROM request WHERE user_id = :user_id ORDER BY id DESC")
A_LINE = Prepared.sql(
    "SELECT t.id, t.invoice_id FROM billing_transaction t WHERE t.customer_id = :customer_id AND t.kind = 'charge' "
    "AND t.invoice_id IS NOT NULL ORDER BY t.at DESC, t.id LIMIT 2"
)


async def ask(browser: Browser, kind: str = "other", **fields: str) -> Page:
    page = await browser.open(f"/account/requests/new/{kind}")
    return await page.submit("request-form", **({"text": TEXT} | fields))


async def made_by(who: people.Someone) -> list[dict[str, object]]:
    return await fetch(MINE.bind(user_id=who.id))


async def a_line() -> str:
    return str((await fetch(A_LINE.bind(customer_id=people.PATEL.id)))[0]["id"])


async def test_a_request_is_sent_shown_and_confirmed_by_mail(app: Application, asha: Browser) -> None:
    page = await ask(asha, "merge")
    assert page.status == 200
    assert TEXT in page.text
    assert "We are looking at it" in page.text
    await app.catch_up()
    assert any("We have your request REQ-" in mail.subject for mail in await mails_to(app, people.ASHA.email))
    assert "A request was made" in (await asha.open("/activity")).text


async def test_sites_and_contacts_have_a_way_to_ask(asha: Browser) -> None:
    account = await asha.open("/account")
    for thing, kind in (("site", "site_change"), ("contact", "contact_change")):
        link = account.html.xpath(f"//li[starts-with(@id,'{thing}-')]//a[contains(.,'Ask to change')]/@href")[0]
        page = await asha.open(str(link))
        assert page.path.startswith(f"/account/requests/new/{kind}?about=")
        shown = await page.submit("request-form", text=TEXT)
        assert shown.status == 200
    assert "Home, 14 Larch Road" in (await asha.open("/account/requests")).text


async def test_a_disputed_line_is_marked_on_the_bill_and_withdrawing_takes_the_mark_away(asha: Browser) -> None:
    line = (await fetch(A_LINE.bind(customer_id=people.PATEL.id)))[0]
    page = await asha.open(f"/account/requests/new/dispute?about={line['id']}")
    request = await page.submit("request-form", text=TEXT)
    assert request.status == 200
    bill = await asha.open(f"/billing/invoices/{line['invoice_id']}")
    assert "In question" in bill.by_id(f"line-{line['id']}").text_content()
    await request.submit("withdraw-form")
    bill = await asha.open(f"/billing/invoices/{line['invoice_id']}")
    assert "In question" not in bill.text


async def test_nobody_is_warned_of_a_bill_in_question_for_14_days(app: Application, asha: Browser) -> None:
    bill = (await fetch(OVERDUE.bind(customer_id=people.PATEL.id)))[0]
    warning = f"Bill {bill['number']} is"
    assert warning in (await asha.open("/")).text
    page = await asha.open(f"/account/requests/new/dispute?about={bill['line_id']}")
    assert (await page.submit("request-form", text=TEXT)).status == 200
    assert warning not in (await asha.open("/")).text
    clock.travel_by(timedelta(days=14, minutes=1))
    again = Browser(app)
    await again.sign_in(people.ASHA.email)
    assert warning in (await again.open("/")).text
    await again.close()


async def test_what_a_role_may_not_see_it_may_not_ask_about(gwen: Browser, ben: Browser) -> None:
    assert "Dispute a bill" in (await gwen.open("/account/requests/new")).text
    assert (await ben.open("/account/requests")).status == 404


@pytest.mark.parametrize(
    ("about", "field", "fields", "words"),
    [
        ("other", "text", {"text": "   "}, "at least 10"),
        ("other", "text", {"text": "x" * 2001}, "at most 2000"),
        ("other", "text", {"text": "a bell \x07 rings for you"}, "ordinary signs"),
        ("dispute", "about", {"about": ""}, "Choose one"),
        ("site_change", "about", {"about": "nonsense"}, "Choose one"),
    ],
)
async def test_what_makes_no_sense_is_refused_and_kept(
    asha: Browser, about: str, field: str, fields: dict[str, str], words: str
) -> None:
    before = await made_by(people.ASHA)
    page = await ask(asha, about, **fields)
    assert page.status == 422
    assert words in page.error(field)
    assert page.field("text").value.strip() == fields.get("text", TEXT).strip()
    assert await made_by(people.ASHA) == before


@pytest.mark.parametrize("path", ["nothing", "other?about=x", "site_change?about=x"])
async def test_an_address_that_makes_no_sense_is_not_found(asha: Browser, path: str) -> None:
    assert (await asha.open(f"/account/requests/new/{path}")).status == 404


async def test_somebody_elses_thing_cannot_be_asked_about(asha: Browser) -> None:
    about = str(fixed("site/bloom-leeds"))
    assert (await asha.open(f"/account/requests/new/site_change?about={about}")).status == 404
    before = len(await made_by(people.ASHA))
    assert (await ask(asha, "site_change", about=about)).status == 404
    assert len(await made_by(people.ASHA)) == before


async def test_somebody_elses_request_is_not_there(asha: Browser, chidi: Browser) -> None:
    page = await ask(asha)
    assert (await chidi.open(page.path)).status == 404
    for action in ("reply", "withdraw"):
        answer = await chidi.post(f"{page.path}/{action}", {"csrf": await chidi.csrf(), "text": TEXT})
        assert answer.status == 404


async def test_the_sixth_of_a_day_is_told_when_again(asha: Browser) -> None:
    for _n in range(5):
        assert (await ask(asha)).status == 200
    page = await ask(asha)
    assert page.status == 429
    assert "You can send the next on 23 Nov 2026, 12:00" in page.text
    assert page.field("text").value.strip() == TEXT


async def test_a_refused_form_costs_none_of_the_five(asha: Browser) -> None:
    line = await a_line()
    assert (await ask(asha, "dispute", about=line)).status == 200
    for _n in range(5):
        page = await ask(asha, "dispute", about=line)
        assert page.status == 422
        assert "looking at this line already" in page.text
    assert (await ask(asha)).status == 200


async def test_the_same_form_twice_is_one_request(app: Application, asha: Browser) -> None:
    before = len(await made_by(people.ASHA))
    form = await asha.open("/account/requests/new/other")
    first = await form.submit("request-form", text=TEXT)
    second = await form.submit("request-form", text=TEXT)
    assert first.path == second.path
    assert len(await made_by(people.ASHA)) == before + 1


async def test_a_closed_request_takes_no_reply(asha: Browser) -> None:
    page = await ask(asha)
    request_id = UUID(page.path.rpartition("/")[2])
    await page.submit("withdraw-form")
    answer = await asha.post(f"/account/requests/{request_id}/reply", {"csrf": await asha.csrf(), "text": TEXT})
    assert answer.status == 409
    assert "closed" in answer.text
    again = await asha.post(f"/account/requests/{request_id}/withdraw", {"csrf": await asha.csrf()})
    assert again.status == 409
