"""Copies of bills for further addresses: asked first, sent once, one PDF and nothing else, ended by either side."""

from __future__ import annotations

import asyncio
import io
import re
from datetime import timedelta
from uuid import UUID

import pypdf
import pytest

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.demo import people
from selfcare.demo.bills import Bill, Item
from selfcare.identity import marked
from selfcare.kernel import clock
from selfcare.portal.billing.recipients import copies, recipients
from selfcare.portal.billing.tables import BillCopy, BillRecipient, Invoice, Transaction
from tests.support.browser import BASE, Browser, Page
from tests.support.mail import link_in, mails_to

BOOKS = "books@hartley.example.test"
NEW = "ledger@hartley.example.test"
LINK = re.compile(re.escape(BASE) + r"(/\S*token=[\w-]+)")


async def add(browser: Browser, email: str = NEW) -> Page:
    return await (await browser.open("/billing/recipients/new")).submit("recipient-form", email=email)


async def say_yes(app: Application, visitor: Browser, email: str = NEW) -> Page:
    page = await visitor.open(await link_in(app, email, "copies of bills"))
    return await page.submit("confirm-form")


async def issue(
    key: str = "new", *, days: int = 0, kind: str = "regular", home: people.Household = people.BLOOM
) -> UUID:
    """A bill of so many days ago that reached us now."""
    day = clock.today("Europe/London") - timedelta(days=days)
    bill = Bill(
        key=key,
        customer=home.id,
        day=day,
        due_on=day,
        items=[Item("Lark 20", -1200 if kind == "credit_note" else 1200)],
        kind=kind,
    )
    async with transaction():
        await Invoice.insert(Invoice(**bill.invoice(f"INV-X-{key}") | {"created_at": clock.now()}))
        await Transaction.insert(*[Transaction(**line) for line in bill.transactions()])
    return bill.id


async def send(app: Application) -> None:
    settings = app.site.settings
    sender = copies.Sender(app.ports.messages, settings.keys.link, settings.zone)
    await sender.send_new(None)  # type: ignore[arg-type]


async def copies_to(app: Application, email: str = BOOKS) -> list[tuple[str, str]]:
    """The links of each copy: to the bill, and to stop."""
    mails = [mail for mail in await mails_to(app, email) if mail.subject.startswith("Bill ")]
    found = [LINK.findall(mail.text) for mail in mails]
    assert all(len(links) == 2 for links in found)
    return [(links[0], links[1]) for links in found]


async def test_an_address_that_agreed_gets_the_next_bill_and_opens_its_pdf(
    app: Application, bloom: Browser, visitor: Browser
) -> None:
    clock.travel_by(timedelta(minutes=1))
    assert "Not confirmed yet" in (await add(bloom)).text
    assert "You get the next bill" in (await say_yes(app, visitor)).heading
    assert "Gets your bills" in (await bloom.open("/billing/recipients")).text
    clock.travel_by(timedelta(minutes=1))
    await issue()
    await send(app)
    ((bill, _stop),) = await copies_to(app, NEW)
    page = await visitor.open(bill)
    assert page.path == "/billing/copy"
    assert "INV-X-new" in page.heading
    assert "noindex" in page.headers["x-robots-tag"]
    paper = await visitor.open("/billing/copy/pdf")
    assert "INV-X-new" in pypdf.PdfReader(io.BytesIO(paper.answer.content)).pages[0].extract_text()
    activity = (await bloom.open("/activity")).text
    for words in ("was added", "agreed to get copies", "downloaded by its receiver"):
        assert words in activity, words
    owners = [mail for mail in await mails_to(app, people.HANA.email) if "Somebody else may get" in mail.subject]
    assert len(owners) == 1
    assert NEW in owners[0].text


async def test_nothing_is_sent_before_the_yes_and_looking_is_no_yes(
    app: Application, bloom: Browser, visitor: Browser
) -> None:
    await add(bloom)
    link = await link_in(app, NEW, "copies of bills")
    assert "Bloom Ltd" in (await visitor.open(link)).text
    await issue()
    await send(app)
    assert await copies_to(app, NEW) == []


async def test_each_bill_goes_out_once_and_credit_notes_too_and_what_is_old_not_at_all(
    app: Application, visitor: Browser
) -> None:
    for key, days, kind in (("a", 0, "regular"), ("b", 5, "credit_note"), ("c", 40, "regular"), ("d", 0, "proforma")):
        await issue(key, days=days, kind=kind)
    before = await BillCopy.count()
    await asyncio.gather(send(app), send(app))
    await send(app)
    sent = [mail.subject for mail in await mails_to(app, BOOKS)]
    assert len(sent) == len(set(sent)) == await BillCopy.count() - before
    assert {name for name in "abcd" for subject in sent if f"INV-X-{name}" in subject} == {"a", "b"}


async def test_the_mail_and_its_page_tell_no_amount_no_line_and_no_other_bill(
    app: Application, visitor: Browser
) -> None:
    await issue()
    await send(app)
    mail = next(mail for mail in await mails_to(app, BOOKS) if "INV-X-new" in mail.subject)
    page = await visitor.open(LINK.findall(mail.text)[0])
    for secret in ("12.00", "Lark 20", "Hana", people.BLOOM.number, str(people.BLOOM.id)):
        assert secret not in mail.text, secret
        assert secret not in page.answer.text, secret
    assert (await visitor.open("/billing", follow=False)).headers["location"].startswith("/sign-in")


async def test_the_receiver_stops_it_and_earlier_links_are_dead(
    app: Application, bloom: Browser, visitor: Browser
) -> None:
    await issue("a")
    await send(app)
    bill, stop = (await copies_to(app))[-1]
    asked = await visitor.open(stop)
    assert "Gets your bills" in (await bloom.open("/billing/recipients")).text
    assert "Nothing more is sent" in (await asked.submit("stop-form")).heading
    assert (await visitor.open(bill)).status == 404
    assert (await visitor.open("/billing/copy/pdf")).status == 404
    known = len(await copies_to(app))
    await issue("b")
    await send(app)
    assert len(await copies_to(app)) == known
    assert "Wants no more" in (await bloom.open("/billing/recipients")).text
    assert "Nothing more is sent" in (await visitor.open(stop)).heading


async def test_the_customer_removes_it_and_earlier_links_are_dead(
    app: Application, bloom: Browser, visitor: Browser
) -> None:
    await issue()
    await send(app)
    bill, stop = (await copies_to(app))[-1]
    (row,) = await BillRecipient.select(BillRecipient.id)
    await (await bloom.open("/billing/recipients")).submit(f"remove-{row['id']}")
    assert BOOKS not in (await bloom.open("/billing/recipients")).text
    assert (await visitor.open(bill)).status == 404
    assert (await visitor.open(stop)).status == 404


async def test_links_open_only_what_they_are_for_and_grow_old(
    app: Application, bloom: Browser, visitor: Browser
) -> None:
    copy_id = await issue()
    await send(app)
    await add(bloom)
    question = await link_in(app, NEW, "copies of bills")
    bill, stop = (await copies_to(app))[-1]
    token = bill.partition("=")[2]
    forged = marked.token_of(copies.LINK, copy_id, b"another key")
    for path in (
        f"/billing/recipients/confirm?token={token}",
        f"/billing/recipients/stop?token={question.partition('=')[2]}",
        f"/billing/copy?token={stop.partition('=')[2]}",
        f"/billing/copy?token={forged}",
        f"/billing/copy?token={token[:-1]}",
        "/billing/copy?token=%F0%9F%92%A9",
    ):
        assert (await visitor.open(path)).status == 404, path
    clock.travel_by(recipients.ASKED_FOR)
    assert (await visitor.open(question)).status == 404
    clock.travel_by(copies.LIFE)
    assert (await visitor.open(bill)).status == 404
    assert (await visitor.open(stop)).status == 200


async def test_five_at_most_also_at_once_and_never_twice(app: Application, bloom: Browser) -> None:
    page = await add(bloom, BOOKS.upper())
    assert page.status == 422
    assert "already" in page.error("email")
    fields = {"csrf": await bloom.csrf()}
    await asyncio.gather(*[bloom.post("/billing/recipients/new", fields | {"email": f"a{n}@x.test"}) for n in range(6)])
    assert await BillRecipient.count().where(BillRecipient.customer_id == people.BLOOM.id) == recipients.MOST
    assert "At most 5" in (await add(bloom)).error("email")


async def test_nobody_is_asked_again_and_again(app: Application, bloom: Browser) -> None:
    for _time in range(3):
        assert (await add(bloom)).path == "/billing/recipients"
    page = await add(bloom)
    assert page.status == 422
    assert "next week" in page.error("email")
    assert page.field("email").value == NEW
    assert len(await mails_to(app, NEW)) == 3
    assert await BillRecipient.count().where(BillRecipient.email == NEW) == 1


@pytest.mark.parametrize("email", ["nobody", "a@b", "a@x.test,b@x.test", "4242424242424242"])
async def test_what_is_no_address_is_refused(bloom: Browser, email: str) -> None:
    page = await add(bloom, email)
    assert page.status == 422
    assert page.error("email")


async def test_adding_asks_who_it_is(bloom: Browser) -> None:
    async with transaction():
        await execute(Prepared.sql("UPDATE session SET proved_at = NULL").bind())
    assert (await bloom.open("/billing/recipients/new")).path.startswith("/sign-in/prove")


async def test_who_may_not_pay_all_bills_chooses_nobody(gwen: Browser, femi: Browser, asha: Browser) -> None:
    assert (await gwen.open("/billing/recipients")).status == 200
    assert (await femi.open("/billing/recipients")).status == 404
    foreign = await BillRecipient.objects().first()
    assert foreign is not None
    forced = await asha.post(f"/billing/recipients/{foreign.id}/remove", {"csrf": await asha.csrf()})
    assert forced.status == 404
    assert await BillRecipient.count() == 1


async def test_what_nobody_answered_and_old_copies_are_forgotten(app: Application, bloom: Browser) -> None:
    await add(bloom)
    await issue()
    await send(app)
    clock.travel_by(copies.KEPT + timedelta(days=1))
    await recipients.forget_old(None)  # type: ignore[arg-type]
    await copies.forget_old(None)  # type: ignore[arg-type]
    assert [row["email"] for row in await BillRecipient.select(BillRecipient.email)] == [BOOKS]
    assert await BillCopy.count() == 0
    await send(app)
    assert await BillCopy.count() == 0
