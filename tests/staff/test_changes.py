"""What only staff may change about a customer."""

from __future__ import annotations

from typing import Any

import pytest

from selfcare.app import Application
from selfcare.db.prepared import Prepared, fetch, fetch_one
from selfcare.demo import people
from tests.staff.test_visits import login, rows
from tests.support.browser import Browser
from tests.support.mail import mails_to

HOME = f"/staff/customers/{people.PATEL.id}"
WHY = "Asked for by phone today"


async def customer() -> dict[str, Any]:
    row = await fetch_one(Prepared.sql("SELECT * FROM customer WHERE id = :id").bind(id=people.PATEL.id))
    assert row is not None
    return row


async def told(app: Application) -> int:
    """How often Asha read that we changed something."""
    subjects = [mail.subject for mail in await mails_to(app, people.ASHA.email)]
    return subjects.count("We changed something about your account")


async def test_the_type_of_a_customer_is_changed_once(app: Application, dina: Browser) -> None:
    page = await dina.open(HOME + "/change")
    assert "Business" in (await page.submit("type-form", type="business", reason=WHY)).text
    assert (await customer())["type"] == "business"
    again = await page.submit("type-form", type="business", reason=WHY)
    assert again.status == 422
    assert "this type already" in again.text
    (row,) = await rows("staff.customer_changed")
    assert WHY in row["details"]
    assert await told(app) == 1


async def test_the_primary_contact_is_changed(app: Application, dina: Browser) -> None:
    contacts = Prepared.sql("SELECT id, name, is_primary FROM contact WHERE customer_id = :id")
    (ben,) = [row for row in await fetch(contacts.bind(id=people.PATEL.id)) if row["name"] == "Ben Patel"]
    page = await dina.open(HOME + "/change")
    await page.submit("primary-form", contact=str(ben["id"]), reason=WHY)
    after = {row["name"] for row in await fetch(contacts.bind(id=people.PATEL.id)) if row["is_primary"]}
    assert after == {"Ben Patel"}
    assert (await customer())["primary_contact_id"] == ben["id"]
    assert await told(app) == 1
    assert (await page.submit("primary-form", contact=str(people.ASHA.id), reason=WHY)).status == 404
    assert {row["name"] for row in await fetch(contacts.bind(id=people.PATEL.id)) if row["is_primary"]} == after


async def test_two_sign_ins_become_one(app: Application, dina: Browser, asha: Browser, gwen: Browser) -> None:
    page = await dina.open(HOME + "/change")
    merged = await page.submit("merge-form", keep=str(people.ASHA.id), email=people.GWEN.email, reason=WHY)
    assert merged.status == 200
    assert (await gwen.open("/account", follow=False)).status == 303
    assert "wrong" in (await gwen.sign_in(people.GWEN.email)).text
    await asha.sign_in(people.ASHA.email)
    names = (await asha.open("/account/switch")).text
    assert "Bloom Ltd" in names
    assert "Asha Patel" in names
    assert {row["customer_id"] for row in await rows("staff.logins_merged")} >= {people.PATEL.id, people.BLOOM.id}


@pytest.mark.parametrize("email", ["asha@example.test", "admin@example.test", "nobody@example.test", "x"])
async def test_what_is_no_other_sign_in_cannot_be_merged(app: Application, dina: Browser, email: str) -> None:
    page = await dina.open(HOME + "/change")
    refused = await page.submit("merge-form", keep=str(people.ASHA.id), email=email, reason=WHY)
    assert refused.status == 422
    assert await rows("staff.logins_merged") == []


async def test_a_message_is_sent_again_unless_its_link_worked_once(app: Application, dina: Browser) -> None:
    await login(dina)
    before = len(await mails_to(app, people.ASHA.email))
    page = await dina.open(HOME + "/messages")
    (form,) = page.html.xpath("//tr[contains(., 'Support opened')]//form")
    token = form.xpath("string(.//input[@name='csrf']/@value)")
    await dina.post(form.get("action"), {"csrf": token})
    assert len(await mails_to(app, people.ASHA.email)) == before + 1
    assert len(await rows("staff.message_resent")) == 1
    elsewhere = form.get("action").replace(str(people.PATEL.id), str(people.OKORO.id))
    assert (await dina.post(elsewhere, {"csrf": token})).status == 404
