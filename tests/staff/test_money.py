"""Refunds, credits and voids by staff; jobs that were given up; the audit page."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.kernel import clock, ids
from selfcare.portal.billing import ledger
from tests.staff.test_visits import rows
from tests.support.browser import Browser, Page

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
