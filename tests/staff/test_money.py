"""Refunds, credits and voids by staff; jobs that were given up; the audit page."""

from __future__ import annotations

import csv
import io
from typing import Any
from uuid import UUID

import pytest

from selfcare.app import Application
from selfcare.audit.log import Actor
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.kernel import clock, ids
from selfcare.kernel.money import Money
from selfcare.portal.billing import ledger
from selfcare.portal.pay import refunds
from selfcare.portal.pay.refunds import Source
from selfcare.portal.pay.till import Till
from tests.staff.test_requests import paid_bill
from tests.staff.test_visits import rows
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to

WHY = "The line was down for days"
HOME = f"/staff/customers/{people.PATEL.id}"


async def give(browser: Browser, amount: str, reason: str = WHY) -> Page:
    return await (await browser.open(HOME + "/money")).submit("credit-form", amount=amount, reason=reason)


async def credit_of() -> int:
    asked = Prepared.sql("SELECT balance_minor FROM ledger_account WHERE customer_id = :id AND kind = 'credit'")
    return -sum(row["balance_minor"] for row in await fetch(asked.bind(id=people.PATEL.id)))


async def test_a_small_credit_is_there_at_once_and_the_books_balance(app: Application, dina: Browser) -> None:
    before = await credit_of()
    page = await give(dina, "12.50")
    assert "The credit is there." in page.text
    assert await credit_of() == before + 1250
    assert await ledger.check() == []
    (row,) = await rows("billing.credited")
    assert row["actor_user_id"] == people.DINA.id


async def test_above_100_a_second_person_agrees_and_not_oneself(
    app: Application, dina: Browser, admin: Browser
) -> None:
    before = await credit_of()
    assert "A second person has to agree" in (await give(dina, "100.01")).text
    assert await credit_of() == before
    own = await admin.open("/staff/payments")
    (form,) = own.html.xpath("//form[.//input[@name='decision' and @value='yes']]")
    token = form.xpath("string(.//input[@name='csrf']/@value)")
    sent = {"csrf": await dina.csrf("/staff"), "decision": "yes"}
    assert (await dina.post(form.get("action"), sent)).status == 409
    assert await credit_of() == before
    await admin.post(form.get("action"), {"csrf": token, "decision": "yes"})
    assert await credit_of() == before + 10001
    assert (await admin.post(form.get("action"), {"csrf": token, "decision": "yes"})).status == 409
    assert await credit_of() == before + 10001
    assert len(await rows("staff.approval_decided")) == 1


async def test_a_charge_comes_with_the_next_bill_is_told_and_can_be_taken_off(
    app: Application, admin: Browser, asha: Browser
) -> None:
    page = await admin.open(HOME + "/money")
    done = await page.submit("charge-form", amount="12.50", reason="Engineer's visit on 3 May")
    assert "The charge comes with the next bill." in done.text
    assert any("will be on your next bill" in mail.subject for mail in await mails_to(app, people.ASHA.email))
    assert "Engineer's visit on 3 May" in (await asha.open("/billing/transactions")).text
    (row,) = await rows("billing.charged")
    assert (row["actor_user_id"], row["customer_id"]) == (people.ADMIN.id, people.PATEL.id)
    refused = await page.submit("charge-form", amount="0", reason="Engineer's visit on 3 May")
    assert refused.status == 422
    assert refused.error("amount")
    await change(
        "UPDATE app_user SET staff_rights = :rights WHERE id = :id", id=people.ADMIN.id, rights=["view_billing"]
    )
    assert (await page.submit("charge-form", amount="5", reason="Engineer's visit on 3 May")).status == 403


async def test_a_large_charge_needs_a_second_person_who_may_refuse_it(
    app: Application, dina: Browser, admin: Browser
) -> None:
    page = await dina.open(HOME + "/money")
    asked = await page.submit("charge-form", amount="100.01", reason="Engineer's visit on 3 May")
    assert "A second person has to agree" in asked.text
    own = await admin.open("/staff/approvals")
    (form,) = own.html.xpath("//form[.//input[@name='decision' and @value='no']]")
    token = form.xpath("string(.//input[@name='csrf']/@value)")
    await admin.post(form.get("action"), {"csrf": token, "decision": "no"})
    assert await rows("billing.charged") == []
    assert [row["details"] for row in await rows("staff.approval_decided")] == ['{"decision":"no"}']


@pytest.mark.parametrize(("amount", "reason"), [("0", WHY), ("-5", WHY), ("1000.01", WHY), ("x", WHY), ("5", "short")])
async def test_a_bad_credit_is_refused_beside_the_field(
    app: Application, dina: Browser, amount: str, reason: str
) -> None:
    page = await give(dina, amount, reason)
    assert page.status == 422
    assert page.error("reason" if reason == "short" else "amount")
    assert page.field("amount").value == amount


async def test_a_charge_on_no_bill_is_taken_off_once(app: Application, admin: Browser) -> None:
    line = ids.new_id()
    async with transaction():
        await execute(
            Prepared.sql(
                "INSERT INTO billing_transaction (id, customer_id, at, kind, description, quantity, amount_minor,"
                " tax_permille, tax_minor, currency, created_at)"
                " VALUES (:id, :customer, :now, 'charge', 'Wrong router', 1, 5000, 0, 0, 'GBP', :now)"
            ).bind(id=line, customer=people.PATEL.id, now=clock.now())
        )
    page = await admin.open(HOME + "/money")
    assert (await page.submit(f"void-{line}", why="")).status == 422
    assert "Wrong router" not in (await page.submit(f"void-{line}", why=WHY)).text
    assert (await page.submit(f"void-{line}", why=WHY)).status == 404
    assert len(await rows("billing.line_voided")) == 1


async def refused_refund(app: Application, minor: int) -> tuple[UUID, UUID]:
    """A payment of Asha's whose refund the bank would not make."""
    payment_id, _bill, _paid = await paid_bill(app)
    till, who = Till.of(app.ports, app.site.settings), Actor(people.DINA.id, None, None, people.PATEL.id)
    made = await refunds.refund(till, who, payment_id, Money(minor, "GBP"), source=Source.BILL, reason=WHY)
    await change("UPDATE refund SET state = 'failed' WHERE id = :id", id=made.id)
    await change("UPDATE payment SET state = 'manual_review', review = 'refused' WHERE id = :id", id=payment_id)
    return payment_id, made.id


async def test_a_refund_given_back_outside_needs_evidence_and_the_customer_is_told(
    app: Application, dina: Browser
) -> None:
    payment_id, refund_id = await refused_refund(app, 500)
    page = await dina.open(f"/staff/payments/{payment_id}")
    form = f"review-{refund_id}"
    bad = await page.submit(form, how="outside", why="cash")
    assert bad.status == 422
    assert (await page.submit(form, why=WHY)).status == 422
    done = await page.submit(form, how="outside", why=WHY)
    assert "It counts as given back." in done.text
    assert "We gave £5.00 back" in [mail.subject for mail in await mails_to(app, people.ASHA.email)]
    (row,) = await rows("pay.reviewed")
    assert (row["actor_user_id"], row["customer_id"]) == (people.DINA.id, people.PATEL.id)
    assert await ledger.check() == []
    late = await page.submit(form, how="again", why=WHY)
    assert late.status == 422
    assert "does not wait for a decision" in late.text


async def test_a_refused_refund_is_sent_again_and_arrives(app: Application, dina: Browser) -> None:
    payment_id, refund_id = await refused_refund(app, 500)
    page = await dina.open(f"/staff/payments/{payment_id}")
    assert "The refund is on its way." in (await page.submit(f"review-{refund_id}", how="again", why=WHY)).text
    await app.catch_up()
    assert (await refunds.load_refund(refund_id)).state == "done"
    assert await ledger.check() == []


async def test_money_pages_need_the_right(app: Application, eli: Browser) -> None:
    assert (await eli.open("/staff/payments")).status == 404
    token = await eli.csrf("/staff")
    page = await eli.post(HOME + "/credit", {"csrf": token, "amount": "5", "reason": WHY})
    assert page.status == 403
    assert {row["outcome"] for row in await rows("sign_in.denied")} == {"refused"}


async def test_a_job_that_was_given_up_is_tried_again(app: Application, admin: Browser) -> None:
    async with transaction():
        await app.ports.jobs.enqueue("outbox.forget_old", key="lost", payload={})
        await execute(Prepared.sql("UPDATE job SET given_up_at = :now WHERE key = 'lost'").bind(now=clock.now()))
    page = await admin.open("/staff/jobs")
    (form,) = page.html.xpath("//form[.//input[@name='key' and @value='lost']]")
    sent = {"csrf": form.xpath("string(.//input[@name='csrf']/@value)"), "key": "lost"}
    assert "Nothing was given up" in (await admin.post(form.get("action"), sent)).text
    assert (await admin.post(form.get("action"), sent)).status == 404
    assert len(await rows("job.retried")) == 1


async def audit(browser: Browser, **asked: Any) -> Page:
    return await browser.open("/staff/audit?" + "&".join(f"{name}={value}" for name, value in asked.items()))


async def test_the_log_is_searched_by_person_customer_and_feature(app: Application, admin: Browser) -> None:
    page = await audit(admin, customer="100202", package="services")
    assert "services.suspended" in page.text
    assert "sign_in.succeeded" not in page.html.xpath("string(//tbody)")
    mine = await audit(admin, person="asha@example.test")
    assert "Chidi" not in mine.html.xpath("string(//tbody)")
    for bad in ({"person": "nobody@example.test"}, {"customer": "1"}, {"grant": "x"}, {"since": "x"}):
        assert (await audit(admin, **bad)).status == 422, bad


async def test_the_log_is_exported_and_both_are_written_down(app: Application, admin: Browser) -> None:
    page = await admin.open("/staff/audit/audit.csv?customer=100202")
    lines = list(csv.DictReader(io.StringIO(page.answer.text.removeprefix("\ufeff"))))
    assert {line["customer"] for line in lines} == {str(people.OKORO.id)}
    assert len(lines) > 3
    assert [row["details"] for row in await rows("staff.audit_viewed")] == ['{"exported":true}']


async def test_nobody_else_reads_the_log(app: Application, dina: Browser, asha: Browser) -> None:
    async with transaction():
        rights = Prepared.sql("UPDATE app_user SET staff_rights = :rights WHERE id = :id")
        await execute(rights.bind(id=people.DINA.id, rights=["view_customer"]))
    for browser in (dina, asha):
        assert (await browser.open("/staff/audit")).status == 404
        assert (await browser.open("/staff/audit/audit.csv")).status == 404
