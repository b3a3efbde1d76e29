"""Paying one bill by a link: what works, what a guest never sees, when it is dead, and what happens twice."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from uuid import UUID

import pypdf
import pytest

from selfcare.adapters.payments_embedded_bank import Outcome
from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.kernel import clock
from selfcare.portal.pay.tables import GuestLink, PaymentRow
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to
from tests.support.money import check_all

OPEN = Prepared.sql(
    """
    SELECT id, number, net_minor + tax_minor - paid_minor AS remaining FROM invoice
    WHERE customer_id = :customer_id AND state = 'issued' ORDER BY due_on DESC LIMIT 1
    """,
    types={"remaining": int},
)
BILL = Prepared.sql("SELECT state, net_minor + tax_minor - paid_minor AS remaining FROM invoice WHERE id = :id")
PAN = "4242424242424242"


async def bill() -> UUID:
    found: UUID = (await fetch(OPEN.bind(customer_id=people.PATEL.id)))[0]["id"]
    return found


async def make(browser: Browser, invoice_id: UUID | None = None) -> str:
    """The path of a new link."""
    page = await (await browser.open(f"/pay/guests/{invoice_id or await bill()}")).submit("link-form")
    shown = page.by_id("made-link").xpath("string(.//bdi)")
    return str(shown.removeprefix(browser.base))


async def pay(visitor: Browser, link: str, outcome: Outcome = Outcome.APPROVES, **fields: str) -> Page:
    """Through the gateway's page and back."""
    state = await (await visitor.open(link)).submit("guest-form", **fields)
    return await at_gateway(visitor, state, outcome)


async def at_gateway(visitor: Browser, state: Page, outcome: Outcome) -> Page:
    onward = state.one("//main//a[normalize-space()='Continue']").get("href")
    return await (await visitor.open(onward.removeprefix(visitor.base))).submit("simpay-card", outcome=outcome.value)


async def remaining(invoice_id: UUID) -> int:
    return int((await fetch(BILL.bind(id=invoice_id)))[0]["remaining"])


async def test_somebody_else_pays_without_signing_in(app: Application, asha: Browser, visitor: Browser) -> None:
    invoice_id = await bill()
    done = await pay(visitor, await make(asha))
    assert "Thank you, we have your payment" in done.text
    assert await remaining(invoice_id) == 0
    await app.catch_up()
    await check_all()
    activity = await asha.open("/activity")
    assert "A payment link was made" in activity.text
    assert "A payment arrived" in activity.text


async def test_a_guest_sees_number_amount_and_operator_and_nothing_else(asha: Browser, visitor: Browser) -> None:
    invoice_id = await bill()
    page = await visitor.open(await make(asha))
    number = (await fetch(OPEN.bind(customer_id=people.PATEL.id)))[0]["number"]
    assert number in page.heading
    assert "Lark Mobile" in page.text
    for secret in ("Asha", "Patel", "Larch Road", "100201", "Fibre", "Lark 20", str(people.PATEL.id), str(invoice_id)):
        assert secret not in page.answer.text, secret


async def test_the_token_leaves_the_address_and_no_robot_keeps_it(asha: Browser, visitor: Browser) -> None:
    link = await make(asha)
    first = await visitor.open(link, follow=False)
    assert first.headers["location"] == "/pay/bill"
    assert first.headers["referrer-policy"] == "no-referrer"
    page = await visitor.open(link)
    assert page.path == "/pay/bill"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "noindex" in page.one("//meta[@name='robots']").get("content")
    assert "no-store" in page.headers["cache-control"]
    assert link.partition("token=")[2] not in page.answer.text


async def test_only_its_hash_is_kept(asha: Browser) -> None:
    token = (await make(asha)).partition("token=")[2]
    kept = await GuestLink.objects().first()
    assert kept is not None
    assert kept.token_hash not in token
    assert len(token) == 43 + 16
    assert kept.expires_at - kept.created_at == timedelta(days=30)


async def test_a_receipt_goes_to_the_address_that_was_given(app: Application, asha: Browser, visitor: Browser) -> None:
    await pay(visitor, await make(asha), email="aunt@example.test")
    mails = await mails_to(app, "aunt@example.test")
    assert [mail.subject.split(":")[0] for mail in mails] == ["SIMULATED"]
    assert "Asha" not in mails[0].text
    assert "/pay/" not in mails[0].text
    assert len([mail for mail in await mails_to(app, "asha@example.test") if "Receipt" in mail.subject]) == 1


async def test_without_an_address_nobody_but_the_owner_gets_one(
    app: Application, asha: Browser, visitor: Browser
) -> None:
    await pay(visitor, await make(asha))
    assert len([mail for mail in await mails_to(app, "asha@example.test") if "Receipt" in mail.subject]) == 1


@pytest.mark.parametrize("email", ["nobody", PAN, "a@b", "x" * 260 + "@example.test"])
async def test_a_bad_address_is_refused_before_anything_is_charged(asha: Browser, visitor: Browser, email: str) -> None:
    page = await (await visitor.open(await make(asha))).submit("guest-form", email=email)
    assert page.status == 422
    assert page.error("email")
    assert await PaymentRow.count() == 0


async def test_the_bank_asks_and_the_guest_comes_back(app: Application, asha: Browser, visitor: Browser) -> None:
    asked = await pay(visitor, await make(asha), Outcome.ASKS)
    assert asked.path.startswith("/simpay/bank/")
    done = await asked.submit(None, button=asked.html.xpath("string(//form[1]//button)").strip())
    assert "Thank you, we have your payment" in done.text


async def test_a_declined_guest_tries_another_card(asha: Browser, visitor: Browser) -> None:
    link = await make(asha)
    refused = await pay(visitor, link, Outcome.NO_FUNDS)
    assert refused.status == 422
    done = await refused.submit("simpay-card", outcome="approves")
    assert "Thank you, we have your payment" in done.text


async def test_who_gives_up_may_begin_again(asha: Browser, visitor: Browser) -> None:
    link = await make(asha)
    state = await (await visitor.open(link)).submit("guest-form")
    cancelled = await state.submit()
    assert "Nothing was taken" in cancelled.text
    assert "Thank you" in (await pay(visitor, "/pay/bill")).text
    assert await remaining(await bill_of(link)) == 0


async def bill_of(_link: str) -> UUID:
    row = await GuestLink.objects().first()
    assert row is not None
    found: UUID = row.invoice_id
    return found


async def test_it_is_dead_once_the_bill_is_paid(asha: Browser, visitor: Browser) -> None:
    link = await make(asha)
    await pay(visitor, link)
    again = await visitor.open(link)
    assert again.status == 404
    assert "Sign in to see your bill" in again.text


async def test_it_is_dead_after_thirty_days(asha: Browser, visitor: Browser) -> None:
    link = await make(asha)
    clock.travel_by(timedelta(days=29, hours=23))
    assert (await visitor.open(link)).status == 200
    clock.travel_by(timedelta(hours=1, seconds=1))
    assert (await visitor.open(link)).status == 404
    page = await visitor.post("/pay/bill", {"csrf": await visitor.csrf("/sign-in"), "shown": "1"})
    assert page.status == 404
    assert await PaymentRow.count() == 0


async def test_withdrawn_it_is_dead(asha: Browser, visitor: Browser) -> None:
    link = await make(asha)
    listed = await asha.open(f"/pay/guests/{await bill()}")
    row = await GuestLink.objects().first()
    assert row is not None
    form = await visitor.open(link)
    await listed.submit(f"revoke-{row.id}")
    assert (await visitor.open(link)).status == 404
    assert (await form.submit("guest-form")).status == 404
    assert await PaymentRow.count() == 0
    assert "A payment link was withdrawn" in (await asha.open("/activity")).text


async def test_a_payment_that_was_begun_is_followed_to_its_end_though_the_link_is_withdrawn(
    asha: Browser, visitor: Browser
) -> None:
    link = await make(asha)
    state = await (await visitor.open(link)).submit("guest-form")
    row = await GuestLink.objects().first()
    assert row is not None
    await (await asha.open(f"/pay/guests/{row.invoice_id}")).submit(f"revoke-{row.id}")
    done = await at_gateway(visitor, state, Outcome.APPROVES)
    assert "Thank you, we have your payment" in done.text


@pytest.mark.parametrize("token", ["x", "a" * 59, "a" * 43 + "0" * 16, "%00", "é" * 20])
async def test_what_we_never_made_is_dead(visitor: Browser, token: str) -> None:
    page = await visitor.open(f"/pay/bill?token={token}")
    assert page.status == 404
    assert "does not work any more" in page.heading


async def test_a_link_is_no_key_to_another_payment(asha: Browser, visitor: Browser) -> None:
    own = await (await asha.open(f"/pay?bill={await bill()}")).submit("pay")
    link = await make(asha, (await fetch(OPEN_OLD.bind(customer_id=people.PATEL.id)))[0]["id"])
    await visitor.open(link)
    guest = await visitor.open(own.path.replace("/pay/", "/pay/bill/"))
    assert guest.status == 404
    assert (await visitor.open(own.path, follow=False)).headers["location"].startswith("/sign-in")


OPEN_OLD = Prepared.sql(
    "SELECT id FROM invoice WHERE customer_id = :customer_id AND state = 'issued' ORDER BY due_on LIMIT 1"
)


async def test_a_form_of_an_older_amount_is_shown_again(asha: Browser, visitor: Browser) -> None:
    form = await visitor.open(await make(asha))
    invoice_id = await bill()
    async with transaction():
        await execute(Prepared.sql("UPDATE invoice SET paid_minor = 100 WHERE id = :id").bind(id=invoice_id))
    page = await form.submit("guest-form")
    assert page.status == 409
    assert "The amount has changed" in page.text
    assert await PaymentRow.count() == 0


@pytest.mark.parametrize("shown", ["0", "-1", "NaN", "1e9", "1.5", "", "99999999999999999999"])
async def test_a_tampered_total_charges_nothing(asha: Browser, visitor: Browser, shown: str) -> None:
    page = await (await visitor.open(await make(asha))).submit("guest-form", shown=shown)
    assert page.status == 409
    assert await PaymentRow.count() == 0


async def test_while_another_payment_runs_there_is_no_button(asha: Browser, visitor: Browser) -> None:
    link = await make(asha)
    invoice_id = await bill()
    form = await visitor.open(link)
    review = await asha.open(f"/pay?bill={invoice_id}")
    await review.submit("pay", card="new")
    page = await visitor.open("/pay/bill")
    assert "on its way" in page.text
    assert not page.html.xpath("//form[@id='guest-form']")
    assert (await form.submit("guest-form")).status == 409


async def test_two_clicks_are_one_payment(asha: Browser, visitor: Browser) -> None:
    form = await visitor.open(await make(asha))
    await asyncio.gather(form.submit("guest-form"), form.submit("guest-form"), form.submit("guest-form"))
    assert await PaymentRow.count() == 1
    assert (await visitor.open("/pay/bill")).path.startswith("/pay/bill/")


async def test_a_guest_spends_no_credit_and_keeps_no_card(asha: Browser, visitor: Browser) -> None:
    await pay(visitor, await make(asha))
    paid = await PaymentRow.objects().first()
    assert paid is not None
    assert (paid.credit_minor, paid.save_card, paid.started_by) == (0, False, None)


async def test_twenty_looks_a_minute_by_one_address(asha: Browser, visitor: Browser) -> None:
    await visitor.open(await make(asha))
    answers = [(await visitor.open("/pay/bill")).status for _n in range(20)]
    assert answers.count(200) == 19
    assert answers[-1] == 429


async def test_the_same_form_makes_one_link(asha: Browser) -> None:
    page = await asha.open(f"/pay/guests/{await bill()}")
    await page.submit("link-form")
    again = await page.submit("link-form")
    assert again.status == 200
    assert not again.html.xpath("//*[@id='made-link']")
    assert await GuestLink.count() == 1


async def test_five_links_for_a_bill_are_enough(asha: Browser) -> None:
    for _n in range(5):
        await make(asha)
    page = await (await asha.open(f"/pay/guests/{await bill()}")).submit("link-form")
    assert page.status == 422
    assert "There are 5 links" in page.text


async def test_for_a_paid_bill_there_is_none(asha: Browser) -> None:
    paid = await fetch(
        Prepared.sql("SELECT id FROM invoice WHERE customer_id = :c AND state = 'settled' LIMIT 1").bind(
            c=people.PATEL.id
        )
    )
    page = await asha.open(f"/pay/guests/{paid[0]['id']}")
    assert not page.html.xpath("//form[@id='link-form']")
    refused = await asha.post(f"/pay/guests/{paid[0]['id']}", {"csrf": await asha.csrf()})
    assert refused.status == 422


async def test_who_only_looks_or_is_somebody_else_makes_none(ben: Browser, chidi: Browser, asha: Browser) -> None:
    invoice_id = await bill()
    assert (await ben.open(f"/pay/guests/{invoice_id}")).status == 404
    assert (await ben.post(f"/pay/guests/{invoice_id}", {"csrf": await ben.csrf()})).status == 403
    assert (await chidi.post(f"/pay/guests/{invoice_id}", {"csrf": await chidi.csrf()})).status == 404
    await make(asha)
    row = await GuestLink.objects().first()
    assert row is not None
    assert (await chidi.post(f"/pay/guests/{row.id}/revoke", {"csrf": await chidi.csrf()})).status == 404
    assert await GuestLink.count().where(GuestLink.revoked_at.is_null()) == 1


async def test_a_guest_takes_the_receipt_along_and_it_names_nobody(asha: Browser, visitor: Browser) -> None:
    done = await pay(visitor, await make(asha))
    path = done.html.xpath("//a[normalize-space()='Receipt as PDF']/@href")[0]
    paper = await visitor.open(path)
    assert paper.headers["content-type"] == "application/pdf"
    words = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(paper.answer.content)).pages)
    assert "Receipt PAY-" in words
    assert people.PATEL.name not in words
    assert people.PATEL.number not in words
    assert (await asha.open(path)).status == 404
