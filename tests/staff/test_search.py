"""Finding a customer."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.kernel import ids
from tests.support.browser import Browser, Page

WRITTEN = Prepared.sql("SELECT outcome, details FROM audit_event WHERE event = :event ORDER BY number")


async def find(browser: Browser, typed: str) -> Page:
    return await browser.open(f"/staff/customers?q={quote(typed)}")


def found(page: Page) -> list[str]:
    return [" ".join(link.text_content().split()) for link in page.html.xpath("//tbody//th/a")]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("asha", "Asha Patel"),
        ("ASHA  pat", "Asha Patel"),
        ("patel", "Asha Patel"),
        ("patel asha", "Asha Patel"),
        ("ben", "Asha Patel"),
        ("100201", "Asha Patel"),
        ("asha@example.test", "Asha Patel"),
        ("gwen@example.test", "Bloom Ltd"),
        ("07700 900123", "Asha Patel"),
        ("+44 7700 900124", "Asha Patel"),
        (str(people.ASHA_MOBILE), "Asha Patel"),
        ("bloom", "Bloom Ltd"),
    ],
)
async def test_a_customer_is_found(app: Application, dina: Browser, typed: str, name: str) -> None:
    assert name in found(await find(dina, typed))


async def test_a_customer_is_found_by_the_number_of_a_bill(app: Application, dina: Browser) -> None:
    (bill,) = await fetch(
        Prepared.sql("SELECT number FROM invoice WHERE customer_id = :id ORDER BY number LIMIT 1").bind(
            id=people.PATEL.id
        )
    )
    assert found(await find(dina, bill["number"].lower())) == ["Asha Patel"]


async def test_a_new_name_is_found_and_the_old_one_no_longer(app: Application, dina: Browser) -> None:
    async with transaction():
        for table, column in (("customer", "id"), ("contact", "customer_id")):
            rename = Prepared.sql(f"UPDATE {table} SET name = :name WHERE {column} = :id")
            await execute(rename.bind(id=people.OKORO.id, name='Zoë "Q" O\'Hara\\'))
    for typed in ("zoë", "Zoë", "o'hara", '"q"'):
        assert found(await find(dina, typed)) == ['Zoë "Q" O\'Hara\\'], typed
    assert found(await find(dina, "okoro")) == []


async def test_finding_is_written_down_without_what_was_typed(app: Application, dina: Browser) -> None:
    await find(dina, "patel")
    (row,) = await fetch(WRITTEN.bind(event="staff.searched"))
    assert "patel" not in row["details"]
    assert '"found":' in row["details"]


async def test_nobody_found_says_what_to_try(app: Application, dina: Browser) -> None:
    page = await find(dina, "nobody of this name")
    assert page.status == 200
    assert "Nobody found" in page.text


@pytest.mark.parametrize("typed", ["x", "y" * 300, "%", "' OR 1=1 --", "\u202e\u202e", "a\tb", "00000000000000000000"])
async def test_odd_text_is_answered_calmly(app: Application, dina: Browser, typed: str) -> None:
    page = await find(dina, typed)
    assert page.status in (200, 422)
    assert found(page) == []


async def test_at_most_25_are_shown(app: Application, dina: Browser) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    add = Prepared.sql(
        "INSERT INTO customer (id, number, name, type, status, pays, enabled, currency, zone, language,"
        " billing_address, created_at) VALUES (:id, :number, :name, 'individual', 'open', 'prepaid', :yes, 'GBP',"
        " 'Europe/London', 'en', '', :now)"
    )
    async with transaction():
        for n in range(30):
            await execute(add.bind(id=ids.new_id(), number=f"77{n:04}", name=f"Quill {n:02}", yes=True, now=now))
    page = await find(dina, "quill")
    assert len(found(page)) == 25
    assert "the first 25" in page.text


async def test_without_the_right_there_is_no_page_and_a_line_in_the_log(app: Application, eli: Browser) -> None:
    async with transaction():
        await execute(
            Prepared.sql("UPDATE app_user SET staff_rights = :rights WHERE id = :id").bind(
                id=people.ELI.id, rights=["view_audit"]
            )
        )
    for path in ("/staff/customers", f"/staff/customers/{people.PATEL.id}/billing"):
        assert (await eli.open(path)).status == 404
    refused = await fetch(WRITTEN.bind(event="sign_in.denied"))
    assert [row["outcome"] for row in refused] == ["refused", "refused"]
    assert "view_customer" in refused[0]["details"]


async def test_every_tab_of_a_customer_is_written_down(app: Application, dina: Browser) -> None:
    home = f"/staff/customers/{people.BLOOM.id}"
    for tab in ("", "/contacts", "/services", "/billing", "/orders", "/messages", "/activity", "/notes"):
        page = await dina.open(home + tab)
        assert page.status == 200, tab
        assert page.heading == "Bloom Ltd"
    assert len(await fetch(WRITTEN.bind(event="staff.customer_viewed"))) == 8


async def test_a_note_is_kept_for_staff(app: Application, dina: Browser, bloom: Browser) -> None:
    page = await dina.open(f"/staff/customers/{people.BLOOM.id}/notes")
    empty = await page.submit("note-form", words=" ")
    assert empty.status == 422
    assert "Fill this in." in empty.error("words")
    saved = await page.submit("note-form", words="Prefers calls\nafter five.")
    assert "Prefers calls" in saved.text
    assert "Prefers calls" not in (await bloom.open("/activity")).text
