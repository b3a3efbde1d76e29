"""Many bills in one file: asked for by dates, made in the background, for nobody else."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, timedelta

import pytest

from selfcare import background
from selfcare.app import Application
from selfcare.db.engine import transaction
from selfcare.db.prepared import Prepared, execute, fetch
from selfcare.demo import people
from selfcare.identity.identity import CustomerScope
from selfcare.kernel import clock
from selfcare.portal.billing import bundles, papers
from selfcare.portal.billing.papers import Paper
from selfcare.portal.billing.statement import statement
from selfcare.portal.billing.statement.statement import Span
from tests.support.browser import Browser, Page
from tests.support.mail import mails_to

BILLS = Prepared.sql(
    """
    SELECT number, net_minor + tax_minor AS total FROM invoice
     WHERE customer_id = :customer_id AND state <> 'draft' AND date >= '2025-11-01' AND date <= '2026-11-22'
     ORDER BY date, number
    """
)
STATES = Prepared.sql("SELECT state FROM bundle")
LEAVE = Prepared.sql("UPDATE membership SET removed_at = :now WHERE user_id = :user_id")
PARTS = Prepared.sql("SELECT count(*) AS n FROM bundle_part")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that Bloom's bills are many."""
    monkeypatch.setattr(bundles, "MOST_AT_ONCE", 5)


async def ask(browser: Browser, first: str = "2025-11-01", last: str = "2026-11-22") -> Page:
    return await (await browser.open("/billing/bundles")).submit("bundle-form", first=first, last=last)


async def file_of(browser: Browser) -> zipfile.ZipFile:
    page = await browser.open("/billing/bundles")
    answer = await browser.open(page.html.xpath("//a[normalize-space()='Download']/@href")[0])
    assert answer.headers["content-disposition"] == 'attachment; filename="bills.zip"'
    assert int(answer.headers["content-length"]) == len(answer.answer.content)
    return zipfile.ZipFile(io.BytesIO(answer.answer.content))


async def ready(app: Application, browser: Browser) -> zipfile.ZipFile:
    await app.catch_up()
    return await file_of(browser)


async def test_the_file_holds_every_bill_of_the_time_and_a_list(app: Application, bloom: Browser) -> None:
    owed = await fetch(BILLS.bind(customer_id=people.BLOOM.id))
    assert f"0 of {len(owed)} bills are in it." in (await ask(bloom)).text
    await app.catch_up()
    archive = await file_of(bloom)
    assert archive.testzip() is None
    assert sorted(archive.namelist()) == sorted([*(f"{bill['number']}.pdf" for bill in owed), "index.csv"])
    assert all(archive.read(f"{bill['number']}.pdf").startswith(b"%PDF-") for bill in owed)
    index = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode())))
    assert [(row["number"], row["total"]) for row in index] == [
        (bill["number"], f"{bill['total'] / 100:.2f}") for bill in owed
    ]
    assert {row["problem"] for row in index} == {""}


async def test_a_bill_that_cannot_be_made_stands_in_the_list(
    app: Application, bloom: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, first = papers.invoice_paper, []

    async def broken(scope: CustomerScope, invoice_id: object, **more: object) -> Paper:
        if not first:
            first.append(invoice_id)
            raise RuntimeError("no paper")
        return await made(scope, invoice_id, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(papers, "invoice_paper", broken)
    await ask(bloom)
    await app.catch_up()
    archive = await file_of(bloom)
    index = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode())))
    assert [bool(row["problem"]) for row in index] == [True] + [False] * (len(index) - 1)
    assert index[0]["number"] + ".pdf" not in archive.namelist()


@pytest.mark.parametrize(
    ("first", "last", "field", "message"),
    [
        ("2026-11-22", "2026-11-01", "last", "on or after the first"),
        ("2001-01-01", "2001-12-31", "last", "There is no bill in this time."),
        ("soon", "2026-11-01", "first", "Enter a date like"),
    ],
)
async def test_a_time_that_cannot_be_is_refused_and_kept(
    bloom: Browser, first: str, last: str, field: str, message: str
) -> None:
    page = await ask(bloom, first, last)
    assert page.status == 422
    assert message in page.error(field)
    assert (page.field("first").value, page.field("last").value) == (first, last)


async def test_one_file_is_made_at_a_time(app: Application, bloom: Browser) -> None:
    await ask(bloom)
    assert (await ask(bloom)).status == 409
    await app.catch_up()
    assert (await ask(bloom)).status == 200


async def test_only_who_asked_gets_the_file(app: Application, bloom: Browser, gwen: Browser, asha: Browser) -> None:
    await ask(bloom)
    await app.catch_up()
    path = (await bloom.open("/billing/bundles")).html.xpath("//a[normalize-space()='Download']/@href")[0]
    assert (await gwen.open(path)).status == 404
    assert (await asha.open(path)).status == 404


async def test_the_file_is_gone_after_a_week(app: Application, bloom: Browser) -> None:
    await ask(bloom)
    await app.catch_up()
    path = (await bloom.open("/billing/bundles")).html.xpath("//a[normalize-space()='Download']/@href")[0]
    clock.travel_by(timedelta(days=7, minutes=1))
    await bloom.sign_in(people.HANA.email)
    assert (await bloom.open(path)).status == 404
    assert "billing.forget_bundles" in background.registry(app.site.settings, app.ports).kinds
    await bundles.forget_old(None)  # type: ignore[arg-type]
    assert await fetch(PARTS.bind()) == [{"n": 0}]


async def test_the_open_page_sees_it_grow(app: Application, bloom: Browser) -> None:
    page = await ask(bloom)
    poll = page.by_id("billing-bundle").get("hx-get")
    assert "are in it" in (await bloom.open(poll, htmx=True)).text
    await app.catch_up()
    news = await bloom.open(poll, htmx=True)
    assert news.has_link("/billing/bundles/")
    assert news.by_id("billing-bundle").get("hx-get") is None


async def test_a_mail_says_that_it_is_ready_once(app: Application, bloom: Browser) -> None:
    await ask(bloom)
    for _again in range(2):
        told = [mail for mail in await mails_to(app, people.HANA.email) if "ready to download" in mail.subject]
    assert len(told) == 1
    assert "/billing/bundles" in told[0].text


async def test_who_lost_the_role_meanwhile_gets_no_bills(app: Application, bloom: Browser) -> None:
    await ask(bloom)
    async with transaction():
        await execute(LEAVE.bind(user_id=people.HANA.id, now=clock.now()))
    await app.catch_up()
    assert [row["state"] for row in await fetch(STATES.bind())] == ["failed"]
    assert await fetch(PARTS.bind()) == [{"n": 0}]


async def test_a_few_bills_come_at_once(bloom: Browser) -> None:
    answer = await ask(bloom, "2026-09-01", "2026-11-22")
    assert answer.headers["content-disposition"] == 'attachment; filename="bills-2026-09-01-2026-11-22.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.answer.content))
    assert archive.testzip() is None
    index = list(csv.DictReader(io.StringIO(archive.read("index.csv").decode())))
    assert len(index) == len(archive.namelist()) - 1 > 0
    assert await fetch(STATES.bind()) == []


@pytest.mark.parametrize(
    "query", ["first=2025-01-01&last=2026-11-22", "first=x&last=2026-11-22", "", "first=2026-11-22"]
)
async def test_many_bills_are_not_waited_for_nor_is_nonsense(bloom: Browser, query: str) -> None:
    assert (await bloom.open(f"/billing/bundles/bills.zip?{query}")).status == 422


async def test_a_statement_of_more_than_two_years_is_made_in_the_background(app: Application, bloom: Browser) -> None:
    long = await bloom.open("/billing/statement?first=2019-01-01&last=2026-11-22")
    assert "is being made" in (await long.submit("long-form")).text
    archive = await ready(app, bloom)
    assert archive.testzip() is None
    assert archive.read("statement-2019-01-01-2026-11-22.pdf").startswith(b"%PDF-")
    rows = list(csv.DictReader(io.StringIO(archive.read("statement-2019-01-01-2026-11-22.csv").decode())))
    whole = await statement.long(await papers.scope_of(people.BLOOM.id), Span(date(2019, 1, 1), date(2026, 11, 22)))
    assert len(rows) == len(whole.movements) + 2
    assert rows[-1]["Balance"] == f"{whole.closing.minor / 100:.2f}"


async def test_a_mangled_long_statement_is_refused(bloom: Browser) -> None:
    sent = {"csrf": await bloom.csrf(), "first": "2026-11-22", "last": "soon"}
    assert (await bloom.post("/billing/statement", sent)).status == 422
    assert await fetch(STATES.bind()) == []
