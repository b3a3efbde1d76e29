"""Counts for operations, and lists worth a call."""

from __future__ import annotations

from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute
from selfcare.demo import people
from tests.support.browser import Browser


async def test_the_figures_count_sign_ins_and_name_nobody(app: Application, dina: Browser, visitor: Browser) -> None:
    await visitor.sign_in("chidi@example.test", "Wrong-Pass-1!")
    page = await dina.open("/staff/figures")
    assert page.status == 200
    assert "1 failed sign-in in 14 days." in page.text
    assert "Chidi" not in page.text
    assert len(page.html.xpath("//*[@id='chart-sign-ins']//tbody/tr")) == 14


async def test_the_lists_show_who_is_overdue_and_what_ends(app: Application, dina: Browser) -> None:
    page = await dina.open("/staff/lists")
    assert page.status == 200
    assert "Asha Patel" in page.html.xpath("string(//section[.//h2[@id='bills-heading']])")
    assert page.html.xpath("//section[.//h2[@id='services-heading']]//tbody/tr")
    assert "Visa" in page.html.xpath("string(//section[.//h2[@id='cards-heading']])") or "None." in page.text


async def test_the_lists_need_the_right(app: Application, eli: Browser) -> None:
    async with transaction():
        rights = Prepared.sql("UPDATE app_user SET staff_rights = :rights WHERE id = :id")
        await execute(rights.bind(id=people.ELI.id, rights=["view_customer"]))
    assert (await eli.open("/staff/lists")).status == 404
