"""A service goes to another customer: what moves, what stays, who is told, and what stands in the way."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from selfcare.adapters.charging_embedded import EmbeddedCharging
from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.demo.people import Household
from selfcare.kernel import clock, ids
from selfcare.ports.charging import Use
from tests.staff.test_visits import rows
from tests.support.browser import Browser, Page
from tests.support.databases import change
from tests.support.mail import mails_to

WHY = "Both called and named their codes"
LINE = people.CHIDI_MOBILE
SUMS = Prepared.sql(
    """
    SELECT kind, sum(remaining) AS remaining, sum(granted) AS granted FROM bucket
     WHERE customer_id IN :customers GROUP BY kind ORDER BY kind
    """,
    types={"remaining": int, "granted": int},
)


async def asked(browser: Browser, to: Household, line: UUID = LINE, of: Household = people.OKORO) -> Page:
    page = await browser.open(f"/staff/customers/{of.id}/services/{line}/transfer")
    return await page.submit("to-form", to=to.number)


async def transfer(browser: Browser, to: Household = people.NEWMAN, **more: Any) -> Page:
    page = await asked(browser, to, **more)
    return await page.submit("transfer-form", reason=WHY, agreed="on")


async def new_line() -> dict[str, Any]:
    (row,) = await fetch(Prepared.sql("SELECT * FROM service WHERE taken_over_from = :id").bind(id=LINE))
    return row


async def count(table: str, service: UUID) -> int:
    (row,) = await fetch(Prepared.sql(f"SELECT count(*) AS n FROM {table} WHERE service_id = :id").bind(id=service))
    return int(row["n"])


async def bucket_sums() -> list[dict[str, Any]]:
    return await fetch(SUMS.bind(customers=[people.OKORO.id, people.NEWMAN.id]))


async def small_credit() -> None:
    """So little that one person may transfer it."""
    await change("UPDATE service SET contract_ends_on = NULL WHERE id = :id", id=LINE)


# It works.


async def test_number_sim_and_allowance_move_and_the_past_stays(
    app: Application, dina: Browser, chidi: Browser, empty: Browser
) -> None:
    await small_credit()
    before, records, lines = await bucket_sums(), await count("usage_record", LINE), await count("sim", LINE)
    plan = await asked(dina, people.NEWMAN)
    assert "Goes to Emma Newman" in plan.text
    assert "Stays with Chidi Okoro" in plan.text
    done = await transfer(dina)
    assert done.path == f"/staff/customers/{people.NEWMAN.id}/services"
    line = await new_line()
    assert line["customer_id"] == people.NEWMAN.id
    assert line["msisdn"] == "+447700900200"
    assert await bucket_sums() == before
    assert await count("usage_record", LINE) == records > 0
    assert await count("usage_record", line["id"]) == 0
    assert await count("sim", line["id"]) == lines
    assert (await chidi.open(f"/services/{line['id']}")).status == 404
    assert (await chidi.open(f"/usage/{line['id']}")).status == 404
    assert "Transferred" in (await chidi.open(f"/services/{LINE}")).text
    assert (await empty.open(f"/services/{LINE}")).status == 404
    mine = await empty.open(f"/services/{line['id']}")
    assert "Active" in mine.text or "Expiring soon" in mine.text
    assert (await empty.open(f"/usage/{line['id']}")).status == 200


async def test_add_ons_end_with_the_old_owner_and_the_page_says_so(app: Application, dina: Browser) -> None:
    await small_credit()
    product = (await fetch(Prepared.sql("SELECT id FROM product WHERE category = 'addon' LIMIT 1").bind()))[0]["id"]
    await change(
        """
        INSERT INTO service_addon (id, customer_id, service_id, product_id, name, icon, price_minor, currency,
            tax_permille, recurring, grants, starts_at, paid_until, created_at)
        VALUES (:id, :customer, :service, :product, 'Night data', 'data', 500, 'GBP', 200, :yes, '[]', :now,
            :now, :now)
        """,
        id=ids.new_id(),
        customer=people.OKORO.id,
        service=LINE,
        product=product,
        yes=True,
        now=clock.now(),
    )
    page = await asked(dina, people.NEWMAN)
    assert "Night data, £5.00 a month" in page.text
    await page.submit("transfer-form", reason=WHY, agreed="on")
    asked_for = Prepared.sql("SELECT service_id, ends_at FROM service_addon WHERE name = 'Night data'")
    (addon,) = await fetch(asked_for.bind())
    assert (addon["service_id"], addon["ends_at"]) == (LINE, clock.now())


async def test_both_owners_are_told_and_both_logs_name_who_did_it(
    app: Application, dina: Browser, chidi: Browser, empty: Browser
) -> None:
    await small_credit()
    await transfer(dina)
    assert any("was transferred" in mail.subject for mail in await mails_to(app, people.CHIDI.email))
    assert any("is yours now" in mail.subject for mail in await mails_to(app, people.EMPTY.email))
    (gone,), (came,) = await rows("services.handed_over"), await rows("services.taken_over")
    assert (gone["actor_user_id"], gone["customer_id"]) == (people.DINA.id, people.OKORO.id)
    assert (came["actor_user_id"], came["customer_id"]) == (people.DINA.id, people.NEWMAN.id)
    assert (gone["user_id"], came["user_id"]) == (people.CHIDI.id, people.EMPTY.id)
    assert "transferred to somebody else" in (await chidi.open("/activity")).text
    assert "taken over from somebody else" in (await empty.open("/activity")).text


async def test_late_use_goes_to_whoever_had_the_line_then(app: Application, dina: Browser) -> None:
    await small_credit()
    await transfer(dina)
    line = await new_line()
    now = clock.now()
    uses = [
        Use(id="late", service="+447700900200", kind="data", amount=1000, at=now - timedelta(hours=1)),
        Use(id="fresh", service=str(LINE), kind="data", amount=1000, at=now),
        Use(id="by-new-id", service=str(line["id"]), kind="sms", amount=1, at=now - timedelta(minutes=30)),
    ]
    taken = await EmbeddedCharging().take(uses)
    assert taken.counted == 3
    whose = Prepared.sql("SELECT external_id, service_id FROM usage_record WHERE external_id IN :ids")
    found = {row["external_id"]: row["service_id"] for row in await fetch(whose.bind(ids=[use.id for use in uses]))}
    assert found == {"late": LINE, "fresh": line["id"], "by-new-id": LINE}


async def test_a_request_leads_there_and_is_answered_by_it(app: Application, dina: Browser, chidi: Browser) -> None:
    await small_credit()
    form = await chidi.open("/account/requests/new/transfer")
    await form.submit("request-form", text="My daughter Emma takes my number over.", about=str(LINE))
    (request,) = await fetch(
        Prepared.sql("SELECT id FROM request WHERE kind = 'transfer' AND about = :id").bind(id=LINE)
    )
    case = await dina.open(f"/staff/requests/{request['id']}")
    (link,) = case.html.xpath("//a[contains(., 'Transfer the service')]/@href")
    page = await (await dina.open(link)).submit("to-form", to=people.NEWMAN.number)
    await page.submit("transfer-form", reason=WHY, agreed="on")
    (after,) = await fetch(Prepared.sql("SELECT state FROM request WHERE id = :id").bind(id=request["id"]))
    assert after["state"] == "done"


async def test_what_is_worth_more_than_one_may_give_needs_a_second_person(
    app: Application, dina: Browser, admin: Browser
) -> None:
    late = (clock.now() + timedelta(days=700)).date()
    await change("UPDATE service SET contract_ends_on = :late WHERE id = :id", late=late, id=LINE)
    page = await asked(dina, people.NEWMAN)
    assert "a second person has to agree" in page.text
    waits = await page.submit("transfer-form", reason=WHY, agreed="on")
    assert "You asked for it" in waits.text
    assert await rows("services.handed_over") == []
    again = await transfer(dina)
    assert again.status == 422
    assert "waits for a second person already" in again.text
    own = await admin.open("/staff/approvals")
    (form,) = own.html.xpath("//form[.//input[@name='decision' and @value='yes']]")
    sent = {"csrf": await dina.csrf("/staff"), "decision": "yes"}
    assert (await dina.post(form.get("action"), sent)).status == 409
    token = form.xpath("string(.//input[@name='csrf']/@value)")
    await admin.post(form.get("action"), {"csrf": token, "decision": "yes"})
    assert (await new_line())["customer_id"] == people.NEWMAN.id
    assert (await admin.post(form.get("action"), {"csrf": token, "decision": "yes"})).status == 409


async def test_what_came_in_the_way_meanwhile_stops_the_second_person_too(
    app: Application, dina: Browser, admin: Browser
) -> None:
    late = (clock.now() + timedelta(days=700)).date()
    await change("UPDATE service SET contract_ends_on = :late WHERE id = :id", late=late, id=LINE)
    await transfer(dina)
    await change("UPDATE service SET cancel_at = :at WHERE id = :id", at=clock.now() + timedelta(days=5), id=LINE)
    own = await admin.open("/staff/approvals")
    (form,) = own.html.xpath("//form[.//input[@name='decision' and @value='yes']]")
    token = form.xpath("string(.//input[@name='csrf']/@value)")
    refused = await admin.post(form.get("action"), {"csrf": token, "decision": "yes"})
    assert refused.status == 422
    assert "Take the cancellation back first" in refused.text
    assert await rows("services.handed_over") == []
    assert "Transfer a service" in (await admin.open("/staff/approvals")).text


async def test_two_who_transfer_at_once_transfer_once(app: Application, dina: Browser, admin: Browser) -> None:
    await small_credit()
    pages = [await asked(browser, people.NEWMAN) for browser in (dina, admin)]
    answers = await asyncio.gather(*(page.submit("transfer-form", reason=WHY, agreed="on") for page in pages))
    assert sorted(answer.status for answer in answers) == [200, 422]
    assert (await new_line())["customer_id"] == people.NEWMAN.id
    assert len(await rows("services.handed_over")) == 1


# It is refused.

STANDS_IN_THE_WAY = {
    "UPDATE service SET cancel_at = '2026-12-30 00:00:00+00:00' WHERE id = :id": "Take the cancellation back",
    "UPDATE service SET next_product_id = product_id WHERE id = :id": "A change of its plan waits",
    "UPDATE service SET state = 'suspended', suspend_reason = 'lost' WHERE id = :id": "Only a service that runs",
    "UPDATE bucket SET remaining = -5, granted = NULL WHERE service_id = :id AND kind = 'money'": "below zero",
    "UPDATE customer SET status = 'suspended' WHERE number = '100203' AND :id = :id": "is not open",
    "UPDATE customer SET currency = 'EUR' WHERE number = '100203' AND :id = :id": "another currency",
}


@pytest.mark.parametrize("sql", STANDS_IN_THE_WAY)
async def test_what_stands_in_the_way_is_said_and_nothing_moves(app: Application, dina: Browser, sql: str) -> None:
    await small_credit()
    page = await asked(dina, people.NEWMAN)
    await change(
        sql.replace(" AND :id = :id", ""), **({"id": LINE} if ":id" in sql.replace(" AND :id = :id", "") else {})
    )
    refused = await page.submit("transfer-form", reason=WHY, agreed="on")
    assert refused.status == 422
    assert STANDS_IN_THE_WAY[sql] in refused.text
    assert await rows("services.handed_over") == []
    assert await fetch(Prepared.sql("SELECT id FROM service WHERE taken_over_from IS NOT NULL").bind()) == []


async def test_an_undecided_payment_stands_in_the_way(app: Application, dina: Browser) -> None:
    await change(
        """
        INSERT INTO payment (id, customer_id, purpose, reference, description, request_key, attempt, currency,
               amount_minor, credit_minor, held_minor, refunded_minor, state, gateway, save_card, off_session,
               created_at)
        VALUES (:id, :customer, 'invoice', 'PAY-STUCK', 'A bill', :key, 1, 'GBP', 100, 0, 0, 0, 'processing',
                'embedded', :no, :no, :now)
        """,
        id=ids.new_id(),
        customer=people.OKORO.id,
        key=ids.token(),
        no=False,
        now=clock.now(),
    )
    refused = await asked(dina, people.NEWMAN)
    assert "Payment PAY-STUCK of the old owner is not decided yet" in refused.text
    assert not refused.html.xpath("//form[@id='transfer-form']")


async def test_an_order_for_it_stands_in_the_way_whoever_made_it(app: Application, dina: Browser) -> None:
    await change(
        """
        INSERT INTO purchase_order (id, customer_id, kind, reference, request_key, name, service_id, owner_id,
               price_minor, tax_permille, currency, delivers, auto, state, created_at, changed_at)
        VALUES (:id, :buyer, 'topup', 'ORD-GIFT', :key, 'Gift', :line, :owner, 0, 0, 'GBP', '{}', :no, 'delivering',
                :now, :now)
        """,
        id=ids.new_id(),
        buyer=people.PATEL.id,
        owner=people.OKORO.id,
        line=LINE,
        key=ids.token(),
        no=False,
        now=clock.now(),
    )
    assert "Order ORD-GIFT for it is under way" in (await asked(dina, people.NEWMAN)).text


async def test_a_bad_form_is_refused_beside_the_field(app: Application, dina: Browser) -> None:
    start = f"/staff/customers/{people.OKORO.id}/services/{LINE}/transfer"
    unknown = await (await dina.open(start)).submit("to-form", to="999999")
    assert unknown.status == 422
    assert "no customer with this customer ID" in unknown.error("to")
    page = await asked(dina, people.NEWMAN)
    bad = await page.submit("transfer-form", reason="short")
    assert bad.status == 422
    assert bad.error("reason")
    assert "Ask both owners first" in bad.text
    own = await asked(dina, people.OKORO)
    assert "belongs to this customer already" in own.text
    assert (await dina.open(start.replace(str(people.OKORO.id), str(people.PATEL.id)))).status == 404
