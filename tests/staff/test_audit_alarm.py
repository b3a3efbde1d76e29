"""Somebody changed the audit log by hand: who hears of it, where it is shown, and when that ends."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import UUID

from selfcare.app import Application
from selfcare.audit import anchors
from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.audit.log import Break
from selfcare.db import engine
from selfcare.db.engine import transaction
from selfcare.demo import people
from selfcare.staff.audit_log import alarm
from tests.audit import tampering
from tests.staff.test_visits import rows
from tests.support.browser import Browser
from tests.support.databases import change as set_rights
from tests.support.mail import mails_to

MINE = f"chain = '{people.PATEL.id}'"
OTHER = "CASE substr(hash, 1, 1) WHEN 'f' THEN '0' ELSE 'f' END || substr(hash, 2)"
FLIPPED = f"UPDATE audit_event SET hash = {OTHER} WHERE {MINE} AND number = 2"
LAST = f"(SELECT max(number) FROM audit_event WHERE {MINE})"


async def change(*statements: str) -> None:
    await tampering.rewrite(engine.database(), *statements)


async def audit_something(customer_id: UUID) -> None:
    async with transaction():
        await audit.record(audit.system(customer_id=customer_id), Event.SERVICES_RENAMED)


async def look(app: Application) -> list[Break]:
    return await alarm.look(app.site.settings, app.ports.messages)


async def test_one_flipped_letter_is_mailed_once_and_shown_until_somebody_says_why(
    app: Application, admin: Browser, dina: Browser
) -> None:
    assert "audit log was changed" not in (await admin.open("/staff/figures")).text
    await change(FLIPPED)
    found = await look(app)
    assert Break(str(people.PATEL.id), 2, "changed") in found
    await look(app)
    assert [mail.subject for mail in await mails_to(app, people.ADMIN.email)].count("The audit log was changed") == 1
    for place in ("/staff", "/staff/figures"):
        assert (await admin.open(place)).html.xpath("//*[@id='audit-alarm']")
        assert (await dina.open(place)).html.xpath("//*[@id='audit-alarm']")
    page = await admin.open("/staff/audit/breaks")
    assert str(people.PATEL.id) in page.text
    assert (await page.submit("seen-form", reason="short")).status == 422
    await page.submit("seen-form", reason="A backup was restored on Sunday")
    assert not (await admin.open("/staff/figures")).html.xpath("//*[@id='audit-alarm']")
    assert {row["actor_user_id"] for row in await rows("staff.audit_break_seen")} == {people.ADMIN.id}
    await look(app)
    assert not (await admin.open("/staff")).html.xpath("//*[@id='audit-alarm']")
    assert (await page.submit("seen-form", reason="A backup was restored on Sunday")).status == 409


async def test_a_new_break_is_shown_after_an_older_one_was_explained(app: Application, admin: Browser) -> None:
    await change(FLIPPED)
    await look(app)
    await (await admin.open("/staff/audit/breaks")).submit("seen-form", reason="A backup was restored on Sunday")
    await change(f"DELETE FROM audit_event WHERE {MINE} AND number = 5")
    assert Break(str(people.PATEL.id), 5, "missing") in await look(app)
    page = await admin.open("/staff/audit/breaks")
    assert [row.xpath("string(td[1])") for row in page.html.xpath("//tbody/tr")] == ["5"]


async def test_the_look_at_night_beside_the_file_of_anchors(app: Application, tmp_path: Path) -> None:
    path = str(tmp_path / "anchors.log")
    settings = replace(app.site.settings, audit_anchors=path)
    await anchors.write(path)
    await audit_something(people.PATEL.id)
    await anchors.write(path)
    both = [anchor for anchor in await anchors.read(path) if anchor.chain == str(people.PATEL.id)]
    await alarm.look_at_night(settings, app.ports.messages)
    assert not await alarm.is_broken()
    kept = [anchor for anchor in await anchors.read(path) if anchor.chain == str(people.PATEL.id)]
    assert (len(both), kept) == (2, both[-1:])
    await change(
        f"DELETE FROM audit_event WHERE {MINE} AND number = {kept[0].number}",
        f"UPDATE audit_head SET (number, hash) = (SELECT number, hash FROM audit_event WHERE {MINE}"
        f" AND number = {both[0].number}) WHERE {MINE}",
    )
    assert await audit.verify() == []
    await alarm.look_at_night(settings, app.ports.messages)
    assert [(row["number"], row["what"]) for row in await alarm.waiting()] == [(kept[0].number, "cut")]


async def test_whom_the_setting_names_hears_of_it_instead_of_the_administrators(app: Application) -> None:
    await change(FLIPPED)
    await alarm.look(replace(app.site.settings, alarm_mail=("watch@lark.example",)), app.ports.messages)
    assert len(await mails_to(app, "watch@lark.example")) == 1
    assert not any("audit log" in mail.subject for mail in await mails_to(app, people.ADMIN.email))


async def test_only_who_reads_the_log_sees_where(app: Application, eli: Browser) -> None:
    path = "/staff/audit/breaks"
    assert (await eli.open(path)).status == 200
    await set_rights(
        "UPDATE app_user SET staff_rights = :rights WHERE id = :id", id=people.ELI.id, rights=["view_customer"]
    )
    assert (await eli.open(path)).status == 404
    refused = await eli.post(path, {"csrf": await eli.csrf("/staff"), "reason": "It was nothing, really"})
    assert refused.status == 403
