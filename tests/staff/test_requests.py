"""What staff decide: the queue, the answer, and money that moves once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.demo import people
from selfcare.demo.people import fixed
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import ids
from selfcare.kernel.money import Money
from selfcare.portal.billing import ledger
from selfcare.portal.pay import payments
from selfcare.portal.pay.payments import BillPart, How
from selfcare.portal.pay.till import Till
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to

TEXT = "Please look at this: it is not as it should be."
OPEN_BILL = Prepared.sql(
    "SELECT id, net_minor + tax_minor - paid_minor AS left FROM invoice WHERE customer_id = :customer_id "
    "AND state = 'issued' AND kind = 'regular' ORDER BY due_on, number LIMIT 1"
)
LINE = Prepared.sql(
    "SELECT id, amount_minor + tax_minor AS gross FROM billing_transaction WHERE invoice_id = :invoice_id "
    "AND kind = 'charge' ORDER BY amount_minor DESC LIMIT 1"
)
CARD = Prepared.sql("SELECT id FROM payment_method WHERE customer_id = :customer_id AND is_default")
REFUNDS = Prepared.sql("SELECT state, amount_minor, source, reason, asked_by FROM refund")
NOTES = Prepared.sql(
    "SELECT id, net_minor + tax_minor AS minor FROM invoice WHERE kind = 'credit_note' AND customer_id = :customer_id"
)
NOTES_OF_ALL = Prepared.sql(
    "SELECT net_minor + tax_minor AS minor FROM invoice WHERE kind = 'credit_note' AND net_minor + tax_minor = -10001"
)
STATE = Prepared.sql("SELECT state FROM request WHERE id = :id")
HOME = people.PATEL.id


async def asked(browser: Browser, kind: str = "other", **fields: str) -> UUID:
    about = f"?about={fields.pop('about')}" if "about" in fields else ""
    page = await browser.open(f"/account/requests/new/{kind}{about}")
    made = await page.submit("request-form", text=TEXT, **fields)
    assert made.status == 200, made.text
    return UUID(made.path.rpartition("/")[2])


async def paid_bill(app: Application) -> tuple[UUID, UUID, int]:
    """A payment of Asha's for her open bill: its id, the bill and the amount."""
    bill, card = await fetch_one(OPEN_BILL.bind(customer_id=HOME)), await fetch_one(CARD.bind(customer_id=HOME))
    assert bill is not None
    assert card is not None
    till = Till.of(app.ports, app.site.settings)
    how = How(request_key=ids.token(), card_id=card["id"])
    made = await payments.pay_bills(till, audit.system(customer_id=HOME), [BillPart(bill["id"])], how)
    assert made.is_paid
    return made.id, bill["id"], bill["left"]


async def disputed(asha: Browser) -> tuple[UUID, UUID, int]:
    """A request of Asha's about the biggest line of her open bill: its id, the bill and the line's amount."""
    bill = await fetch_one(OPEN_BILL.bind(customer_id=HOME))
    assert bill is not None
    line = (await fetch(LINE.bind(invoice_id=bill["id"])))[0]
    return await asked(asha, "dispute", about=str(line["id"])), bill["id"], line["gross"]


async def answer(staff: Browser, request_id: UUID, step: str, text: str = "We looked.") -> Page:
    page = await staff.open(f"/staff/requests/{request_id}")
    return await page.submit("answer-form", text=text, step=step)


async def give(staff: Browser, request_id: UUID, **fields: str) -> Page:
    page = await staff.open(f"/staff/requests/{request_id}/money")
    return await page.submit("money-form", **({"text": "You are right, we are sorry."} | fields))


async def scope() -> CustomerScope:
    return CustomerScope(HOME, "100201", "Asha Patel", "individual", "open", "postpaid", "GBP", "Europe/London")


async def test_a_question_an_answer_and_a_decision(app: Application, asha: Browser, eli: Browser) -> None:
    request_id = await asked(asha, "merge")
    assert "Missing service" in (await eli.open("/staff/requests")).text
    await answer(eli, request_id, "ask", "Which number is it?")
    shown = await asha.open(f"/account/requests/{request_id}")
    assert "Which number is it?" in shown.text
    assert "Eli from support" in shown.text
    assert "Marsh" not in shown.text
    assert "We need an answer from you" in shown.text
    back = await shown.submit("reply-form", text="It is 07700 900999.")
    assert "We are looking at it" in back.text
    assert "07700 900999" in (await eli.open(f"/staff/requests/{request_id}")).text
    await answer(eli, request_id, "done", "We found and joined it.")
    shown = await asha.open(f"/account/requests/{request_id}")
    assert "Done" in shown.text
    assert not shown.html.xpath("//form[@id='reply-form']")
    subjects = [mail.subject for mail in await mails_to(app, people.ASHA.email)]
    assert subjects.count("An answer to your request") == 2
    assert "A request was answered" in (await asha.open("/activity")).text


async def test_money_of_a_payment_goes_back_and_the_customer_sees_it(
    app: Application, asha: Browser, dina: Browser
) -> None:
    payment_id, bill, paid = await paid_bill(app)
    link = (await asha.open(f"/pay/{payment_id}")).one("//a[contains(., 'Ask for a refund')]/@href")
    made = await (await asha.open(str(link))).submit("request-form", text=TEXT)
    request_id = UUID(made.path.rpartition("/")[2])
    page = await give(dina, request_id, amount=f"{paid / 100:.2f}", source="bill")
    assert page.path == f"/staff/requests/{request_id}"
    assert "on its way back" in (await asha.open(f"/account/requests/{request_id}")).text
    await app.catch_up()
    assert "is back with your bank" in (await asha.open(f"/account/requests/{request_id}")).text
    rows = await fetch(REFUNDS.bind())
    assert [(row["state"], row["amount_minor"], row["asked_by"]) for row in rows] == [("done", paid, people.DINA.id)]
    assert rows[0]["reason"].startswith("REQ-")
    left = await fetch_one(OPEN_BILL.bind(customer_id=HOME))
    assert left == {"id": bill, "left": paid}
    assert await ledger.check() == []


async def test_a_disputed_line_that_was_wrong_makes_a_credit_note(
    app: Application, asha: Browser, dina: Browser
) -> None:
    request_id, bill, gross = await disputed(asha)
    before = await fetch_one(OPEN_BILL.bind(customer_id=HOME))
    assert before is not None
    await give(dina, request_id, amount="1.20")
    notes = await fetch(NOTES.bind(customer_id=HOME))
    assert [row["minor"] for row in notes] == [-120]
    after = await fetch_one(OPEN_BILL.bind(customer_id=HOME))
    assert after == {"id": bill, "left": before["left"] - 120}
    shown = await asha.open(f"/account/requests/{request_id}")
    assert "£1.20 were credited" in shown.text
    note = await asha.open(f"/billing/invoices/{notes[0]['id']}")
    assert note.status == 200
    assert "Taken off bill" in note.text
    assert "In question" not in (await asha.open(f"/billing/invoices/{bill}")).text
    assert gross > 120
    assert await ledger.check() == []


async def test_a_declined_dispute_takes_the_mark_away_and_moves_no_money(
    app: Application, asha: Browser, eli: Browser
) -> None:
    request_id, bill, _gross = await disputed(asha)
    await answer(eli, request_id, "decline", "You used it on 3 November.")
    assert "In question" not in (await asha.open(f"/billing/invoices/{bill}")).text
    assert await fetch(NOTES.bind(customer_id=HOME)) == []
    assert "You used it on 3 November." in (await asha.open(f"/account/requests/{request_id}")).text


async def test_who_may_not_give_money_back_may_answer_only(app: Application, asha: Browser, eli: Browser) -> None:
    request_id, _bill, _gross = await disputed(asha)
    page = await eli.open(f"/staff/requests/{request_id}")
    assert page.status == 200
    assert "Credit the line" not in page.text
    assert (await eli.open(f"/staff/requests/{request_id}/money")).status == 404
    answer = await eli.post(f"/staff/requests/{request_id}/money", {"csrf": await eli.csrf(), "amount": "1"})
    assert answer.status == 403
    assert await fetch(NOTES.bind(customer_id=HOME)) == []


async def test_a_credit_note_above_a_hundred_is_made_when_a_second_person_agrees(
    app: Application, dina: Browser, admin: Browser
) -> None:
    request_id = fixed("request/bloom/dispute")
    page = await dina.open(f"/staff/requests/{request_id}/money")
    assert page.field("amount").value == "100.00"
    short = await page.submit("money-form", amount="100.01", text="Sorry.")
    assert short.error("text")
    waits = await page.submit("money-form", amount="100.01", text="You are right, we are sorry.")
    assert "You asked for it" in waits.text
    assert await fetch(NOTES_OF_ALL.bind()) == []
    assert await fetch_one(STATE.bind(id=request_id)) == {"state": "open"}
    twice = await page.submit("money-form", amount="100.01", text="You are right, we are sorry.")
    assert "waits for a second person already" in twice.text
    own = await admin.open("/staff/approvals")
    (form,) = own.html.xpath("//form[.//input[@name='decision' and @value='yes']]")
    sent = {"csrf": await dina.csrf("/staff"), "decision": "yes"}
    assert (await dina.post(form.get("action"), sent)).status == 409
    await admin.post(
        form.get("action"), {"csrf": form.xpath("string(.//input[@name='csrf']/@value)"), "decision": "yes"}
    )
    assert [row["minor"] for row in await fetch(NOTES_OF_ALL.bind())] == [-10001]
    assert await fetch_one(STATE.bind(id=request_id)) == {"state": "done"}
    assert await ledger.check() == []


async def test_customers_have_no_way_to_decide(asha: Browser, chidi: Browser) -> None:
    request_id = await asked(asha)
    for browser in (asha, chidi):
        assert (await browser.open(f"/staff/requests/{request_id}")).status == 404
        answer = await browser.post(
            f"/staff/requests/{request_id}/answer", {"csrf": await browser.csrf(), "text": "yes", "step": "done"}
        )
        assert answer.status == 404
    row = await fetch_one(STATE.bind(id=request_id))
    assert row == {"state": "open"}


@pytest.mark.parametrize(
    ("fields", "bad", "words"),
    [
        ({"amount": "99.99", "source": "bill"}, "amount", "At most"),
        ({"amount": "0", "source": "bill"}, "amount", ""),
        ({"amount": "1e3", "source": "bill"}, "amount", "Enter an amount"),
        ({"amount": "1.00", "source": ""}, "source", "whose money"),
        ({"amount": "1.00", "source": "credit"}, "source", "used this money already"),
        ({"amount": "1.00", "source": "bill", "text": " "}, "text", "Fill this in"),
    ],
)
async def test_what_cannot_be_given_back_is_refused_and_kept(
    app: Application, asha: Browser, dina: Browser, fields: dict[str, str], bad: str, words: str
) -> None:
    payment_id, _bill, _paid = await paid_bill(app)
    request_id = await asked(asha, "refund", about=str(payment_id))
    page = await give(dina, request_id, **fields)
    assert page.status == 422
    assert words in page.text
    assert page.html.xpath(f"//*[@class='summary']//a[@href='#{bad}']")
    assert page.field("amount").value == fields["amount"]
    assert await fetch(REFUNDS.bind()) == []
    assert await fetch_one(STATE.bind(id=request_id)) == {"state": "open"}


async def test_an_answer_says_what_happens_next(asha: Browser, eli: Browser) -> None:
    request_id = await asked(asha)
    page = await eli.open(f"/staff/requests/{request_id}")
    again = await page.submit("answer-form", text="We looked.")
    assert again.status == 422
    assert "Choose what happens" in again.text
    assert again.field("text").value.strip() == "We looked."


async def test_two_staff_who_decide_at_once_give_it_back_once(
    app: Application, asha: Browser, dina: Browser, admin: Browser
) -> None:
    payment_id, _bill, paid = await paid_bill(app)
    request_id = await asked(asha, "refund", about=str(payment_id))
    pages = [await each.open(f"/staff/requests/{request_id}/money") for each in (dina, admin)]
    fields = {"amount": f"{paid / 200:.2f}", "source": "bill", "text": "We give half of it back."}
    answers = await asyncio.gather(*(page.submit("money-form", **fields) for page in pages))
    assert sorted(answer.status for answer in answers) == [200, 409]
    await app.catch_up()
    assert len(await fetch(REFUNDS.bind())) == 1
    assert (await ledger.balances(await scope())).refunding == Money(0, "GBP")


async def test_a_line_is_credited_no_further_than_it_was_charged_over_several_disputes(
    app: Application, asha: Browser, dina: Browser
) -> None:
    request_id, bill, gross = await disputed(asha)
    await give(dina, request_id, amount=f"{(gross - 1) / 100:.2f}")
    line = (await fetch(LINE.bind(invoice_id=bill)))[0]
    again = await asked(asha, "dispute", about=str(line["id"]))
    page = await give(dina, again, amount="0.02")
    assert page.status == 422
    assert "At most £0.01" in page.text
    await give(dina, again, amount="0.01")
    assert sum(row["minor"] for row in await fetch(NOTES.bind(customer_id=HOME))) == -gross
    assert await ledger.check() == []
