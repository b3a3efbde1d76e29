"""The copy of one's data: who gets it, what is in it, what is not, and what happens when it fails."""

from __future__ import annotations

import io
import json
import re
import tracemalloc
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from selfcare.adapters.charging_tables import UsageRecord
from selfcare.app import Application
from selfcare.db.engine import Database, transaction
from selfcare.db.prepared import Prepared, execute, fetch, fetch_one, insert_many
from selfcare.db.tables import all_tables
from selfcare.demo import people
from selfcare.jobs.registry import Job
from selfcare.kernel import clock, ids
from selfcare.portal.account.export import exports
from selfcare.portal.account.export.contents import LEFT_OUT, SECTIONS
from selfcare.portal.account.export.exports import Maker
from tests.support.browser import Browser
from tests.support.mail import mails_to
from tests.support.schema import read_schema

SECRETS = Prepared.sql("SELECT password_hash FROM app_user WHERE password_hash IS NOT NULL")
LATEST = Prepared.sql(
    "SELECT id, state, size_bytes FROM export WHERE user_id = :user_id ORDER BY asked_at DESC LIMIT 1"
)
PARTS = Prepared.sql("SELECT count(*) AS n, max(length(body)) AS longest FROM export_part")


async def copy_of(app: Application, browser: Browser) -> zipfile.ZipFile:
    page = await browser.open("/account/export")
    asked = await page.submit("export-form")
    assert asked.status == 200, asked.text
    waiting = await browser.open("/account/export")
    assert waiting.html.xpath("//main//a[normalize-space()='Look again']/@href") == ["/account/export"]
    await app.catch_up()
    page = await browser.open("/account/export")
    file = await browser.open(str(page.one("//a[contains(., 'Download your data')]/@href")))
    assert file.status == 200
    assert file.headers["content-type"] == "application/zip"
    assert int(file.headers["content-length"]) == len(file.answer.content)
    return zipfile.ZipFile(io.BytesIO(file.answer.content))


def rows_in(archive: zipfile.ZipFile, file: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(archive.read(f"{file}.json"))
    return rows


async def test_every_table_is_in_the_copy_or_left_out_with_a_reason(database: Database) -> None:
    schema = await read_schema()
    known = {section.table for section in SECTIONS} | LEFT_OUT.keys()
    assert set(schema) - known == set(), "say in export/contents.py whether it holds what belongs to a person"
    assert known - set(schema) == set(), "gone from the schema"
    assert {section.table for section in SECTIONS} & LEFT_OUT.keys() == set()
    assert all(reason for reason in LEFT_OUT.values())


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.file)
def test_every_column_of_a_file_is_shown_or_withheld_with_a_reason(section: Any) -> None:
    table = next(table for table in all_tables() if table._meta.tablename == section.table)
    columns = {column._meta.db_column_name for column in table._meta.columns}
    assert set(section.columns) | section.withheld.keys() == columns
    assert set(section.columns) & section.withheld.keys() == set()


async def test_the_copy_holds_what_the_person_may_see(app: Application, asha: Browser) -> None:
    archive = await copy_of(app, asha)
    assert archive.testzip() is None
    lists = {name for name in archive.namelist() if not name.startswith("bills/")}
    assert lists == {"README.txt", *(f"{section.file}.json" for section in SECTIONS)}
    papers = {name for name in archive.namelist() if name.startswith("bills/")}
    assert papers == {f"bills/{bill['number']}.pdf" for bill in rows_in(archive, "bills")}
    assert all(archive.read(name).startswith(b"%PDF-") for name in papers)
    assert rows_in(archive, "you")[0]["email"] == people.ASHA.email
    assert rows_in(archive, "account")[0]["number"] == "100201"
    for file in ("bills", "transactions", "usage", "services", "contacts", "sites", "cards", "activity", "sign-ins"):
        assert rows_in(archive, file), file
    mail = [mail for mail in await mails_to(app, people.ASHA.email) if "ready to download" in mail.subject]
    assert len(mail) == 1
    link = re.search(r"https://selfcare.test(/account/export/[0-9a-f-]+)", mail[0].text)
    assert link is not None
    assert "Download your data" in (await asha.open(link[1])).text
    assert "The copy of the data was downloaded" in (await asha.open("/activity")).text


async def test_secrets_and_what_belongs_to_others_are_not_in_it(app: Application, asha: Browser) -> None:
    archive = await copy_of(app, asha)
    everything = "\n".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".json"))
    for row in await fetch(SECRETS.bind()):
        assert row["password_hash"] not in everything
    for word in ("argon2", "wholesale", "token_ref", "cus_sim_", people.BEN.email, people.HANA.email, "Chidi"):
        assert word not in everything, word
    assert "100202" not in everything
    reasons = archive.read("README.txt").decode()
    assert "you, password_hash: secret" in reasons


async def test_who_sees_one_line_only_gets_that_line(app: Application, femi: Browser) -> None:
    archive = await copy_of(app, femi)
    own = str(people.bloom_service(0))
    assert {row["id"] for row in rows_in(archive, "services")} == {own}
    assert {row["service_id"] for row in rows_in(archive, "usage")} == {own}
    assert {row["service_id"] for row in rows_in(archive, "allowances")} == {own}
    names = archive.namelist()
    assert not {"bills.json", "payments.json", "cards.json", "contacts.json"} & set(names)
    assert "- bills: your role does not see it" in archive.read("README.txt").decode()


async def test_another_persons_copy_is_not_there(app: Application, asha: Browser, ben: Browser, chidi: Browser) -> None:
    await copy_of(app, asha)
    row = await fetch_one(LATEST.bind(user_id=people.ASHA.id))
    assert row is not None
    for browser in (ben, chidi):
        for path in (f"/account/export/{row['id']}", f"/account/export/{row['id']}/file"):
            assert (await browser.open(path)).status == 404


async def test_it_asks_who_you_are_first(app: Application, asha: Browser) -> None:
    await copy_of(app, asha)
    row = await fetch_one(LATEST.bind(user_id=people.ASHA.id))
    assert row is not None
    clock.travel_by(timedelta(minutes=15))
    page = await asha.open(f"/account/export/{row['id']}/file", follow=False)
    assert page.status == 303
    assert page.headers["location"].startswith("/sign-in/prove")


async def test_after_seven_days_it_is_gone(app: Application, asha: Browser) -> None:
    await copy_of(app, asha)
    row = await fetch_one(LATEST.bind(user_id=people.ASHA.id))
    assert row is not None
    clock.travel_by(timedelta(days=7, minutes=1))
    await exports.forget_old(Job(ids.new_id(), "x", "x", {}, 1))
    assert await fetch_one(LATEST.bind(user_id=people.ASHA.id)) is None
    assert (await fetch_one(PARTS.bind()) or {})["n"] == 0


async def test_one_a_day(app: Application, asha: Browser) -> None:
    await copy_of(app, asha)
    page = await (await asha.open("/account/export")).submit("export-form")
    assert page.status == 429
    assert "too often" in page.text


async def test_a_failure_is_told_and_can_be_tried_again_at_once(app: Application, asha: Browser) -> None:
    class Broken:
        async def pdf(self, customer_id: UUID, invoice_id: UUID) -> bytes | None:
            raise OSError("the printer is on fire")

    await (await asha.open("/account/export")).submit("export-form")
    row = await fetch_one(LATEST.bind(user_id=people.ASHA.id))
    assert row is not None
    maker = Maker(app.ports.messages, Broken())
    for attempt in range(1, exports.TRIES + 1):
        with pytest.raises(OSError, match="on fire"):
            await maker.make(Job(ids.new_id(), exports.MAKE, "x", {"export": str(row["id"])}, attempt))
    page = await asha.open("/account/export")
    assert "You can try again now" in page.text
    assert (await fetch_one(PARTS.bind()) or {})["n"] == 0
    again = await page.submit("export-form")
    assert again.status == 200
    assert any("could not put" in mail.subject for mail in await mails_to(app, people.ASHA.email))


async def test_papers_go_into_the_copy_and_made_twice_it_is_the_same(app: Application, asha: Browser) -> None:
    class Printer:
        async def pdf(self, customer_id: UUID, invoice_id: UUID) -> bytes | None:
            return b"%PDF-1.7 a bill"

    await (await asha.open("/account/export")).submit("export-form")
    row = await fetch_one(LATEST.bind(user_id=people.ASHA.id))
    assert row is not None
    maker = Maker(app.ports.messages, Printer())
    # A worker that died half-way left parts behind.
    async with transaction():
        await execute(exports._ADD_PART.bind(id=ids.new_id(), export_id=row["id"], position=0, body="AAAA"))
    for _n in range(2):
        await maker.make(Job(ids.new_id(), exports.MAKE, "x", {"export": str(row["id"])}, 1))
    file = await asha.open(f"/account/export/{row['id']}/file")
    archive = zipfile.ZipFile(io.BytesIO(file.answer.content))
    papers = [name for name in archive.namelist() if name.endswith(".pdf")]
    assert len(papers) == len(rows_in(archive, "bills")) > 3
    assert archive.read(papers[0]) == b"%PDF-1.7 a bill"


async def test_memory_does_not_grow_with_the_size(app: Application, asha: Browser) -> None:
    now = clock.now()
    service = str(people.ASHA_MOBILE)
    rows = [
        {"id": ids.new_id(), "customer_id": people.PATEL.id, "service_id": UUID(service), "kind": "call"}
        | {"direction": "out", "class_": "on_net", "started_at": now, "seconds": n, "other_party": ids.token()[:20]}
        | {"external_id": ids.token(), "created_at": now, "currency": "GBP"}
        for n in range(8_000)
    ]
    async with transaction():
        await insert_many(UsageRecord, rows)
    del rows
    await (await asha.open("/account/export")).submit("export-form")
    row = await fetch_one(LATEST.bind(user_id=people.ASHA.id))
    assert row is not None
    tracemalloc.start()
    try:
        await Maker(app.ports.messages).make(Job(ids.new_id(), exports.MAKE, "x", {"export": str(row["id"])}, 1))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    parts = await fetch_one(PARTS.bind()) or {}
    assert parts["n"] >= 2
    assert parts["longest"] <= 400_000
    # 5.5 million at most today; all rows at once take 22.
    assert peak < 12_000_000, peak
