"""Calls, sessions and messages one by one, on the page and as a file."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from selfcare.app import Application
from selfcare.db.counting import counting
from selfcare.db.prepared import Prepared, fetch
from selfcare.demo import people
from selfcare.kernel import clock
from selfcare.portal.usage import records
from selfcare.ports.charging import Record, Use
from tests.support.browser import Browser, Page
from tests.support.site import NOW

MOBILE = people.ASHA_MOBILE
HERE = f"/usage/{MOBILE}/records"


async def use(app: Application, n: int, **more: object) -> None:
    usual = {"service": str(MOBILE), "kind": "call", "amount": 60, "at": clock.now(), "currency": "GBP"}
    made = [Use(id=str(uuid4()), **(usual | more)) for _ in range(n)]  # type: ignore[arg-type]
    taken = await app.ports.charging.take(made)
    assert taken.counted == n, taken


def rows(page: Page) -> list[str]:
    return [" ".join(row.text_content().split()) for row in page.html.xpath("//tbody/tr")]


async def test_each_call_stands_with_its_number_length_and_cost(app: Application, asha: Browser) -> None:
    await use(app, 1, amount=185, other_party="+447700900301", class_="on_net")
    newest = rows(await asha.open(HERE))[0]
    for words in ("22 Nov 2026, 12:00", "Call", "+44 7700 900301", "On-Net", "3:05", "included"):
        assert words in newest


async def test_25_stand_on_a_page_and_older_ones_follow_without_gap(app: Application, asha: Browser) -> None:
    seen: list[str] = []
    page = await asha.open(f"{HERE}?first=2026-11-10")
    while True:
        seen += [each.get("datetime") for each in page.html.xpath("//tbody//time")]
        older = page.html.xpath("//a[@rel='next']/@href")
        if not older:
            break
        assert len(rows(page)) == 25
        page = await asha.open(older[0])
    assert seen == sorted(seen, reverse=True)
    told = await fetch(
        Prepared.sql("SELECT count(*) AS n FROM usage_record WHERE service_id = :id AND started_at >= :since").bind(
            id=MOBILE, since=datetime(2026, 11, 10, tzinfo=UTC)
        )
    )
    assert len(seen) == told[0]["n"] > 25


async def test_filters_narrow_by_kind_class_and_day(app: Application, asha: Browser) -> None:
    await use(app, 2, class_="premium", cost_minor=100)
    shown = rows(await asha.open(f"{HERE}?kind=call&class=premium&first=2026-11-22&last=2026-11-22"))
    assert len(shown) == 2
    assert all("Premium" in row for row in shown)
    page = await asha.open(f"{HERE}?kind=mms&class=premium")
    assert "Nothing matches" in page.text


async def test_a_day_is_a_day_of_the_customers_zone(app: Application, asha: Browser) -> None:
    """23:30 UTC on 30 June is half past midnight on 1 July in London."""
    with clock.frozen(datetime(2027, 7, 1, 8, tzinfo=UTC)):
        await asha.sign_in("asha@example.test")
        await use(app, 1, at=datetime(2027, 6, 30, 23, 30, tzinfo=UTC))
        assert len(rows(await asha.open(f"{HERE}?first=2027-07-01&last=2027-07-01"))) == 1
        assert rows(await asha.open(f"{HERE}?first=2027-06-30&last=2027-06-30")) == []
        assert "1 Jul 2027, 00:30" in (await asha.open(f"{HERE}?first=2027-07-01")).text


async def test_the_filter_answers_htmx_with_the_list_alone(asha: Browser) -> None:
    page = await asha.open(f"{HERE}?kind=call", htmx=True)
    assert page.html.get("id") == "usage-records"


@pytest.mark.parametrize("strange", ["after=x", "after=9999-99-99~1", "kind=x", "class='"])
async def test_a_mangled_filter_is_no_filter(asha: Browser, strange: str) -> None:
    page = await asha.open(f"{HERE}?{strange}")
    assert page.status == 200
    assert len(rows(page)) == 25


@pytest.mark.parametrize(
    ("days", "field", "said"),
    [
        ("first=yesterday", "first", "Enter a date like"),
        ("last=2026-02-30", "last", "Enter a date like"),
        ("last=9999-12-31", "last", "Enter a date like"),
        ("first=2026-11-20&last=2026-11-01", "last", "Choose a last day on or after the first."),
    ],
)
async def test_days_that_cannot_be_meant_are_refused_beside_the_field(
    asha: Browser, days: str, field: str, said: str
) -> None:
    page = await asha.open(f"{HERE}?{days}&kind=call")
    assert page.status == 422
    assert said in (page.error(field) or "")
    assert page.field(field).value == dict(part.split("=") for part in days.split("&"))[field]
    assert not page.html.xpath("//table")
    assert (await asha.open(f"{HERE}.csv?{days}")).status == 422


async def test_the_csv_holds_everything_that_matches(app: Application, asha: Browser) -> None:
    await use(app, 3, class_="premium", cost_minor=150, amount=90)
    page = await asha.open(f"{HERE}.csv?class=premium&first=2026-11-22")
    assert page.headers["content-type"] == "text/csv; charset=utf-8"
    assert page.headers["content-disposition"] == 'attachment; filename="usage.csv"'
    assert "no-store" in page.headers["cache-control"]
    told = list(csv.DictReader(io.StringIO(page.answer.text)))
    assert len(told) == 3
    assert told[0]["started_at"] == "2026-11-22T12:00:00+00:00"
    assert (told[0]["seconds"], told[0]["currency"]) == ("90", "GBP")


async def test_the_json_is_one_array_of_records(app: Application, asha: Browser) -> None:
    await use(app, 2, class_="premium")
    page = await asha.open(f"{HERE}.json?class=premium&first=2026-11-22")
    told = json.loads(page.answer.text)
    assert [each["class"] for each in told] == ["premium", "premium"]
    assert json.loads((await asha.open(f"{HERE}.json?kind=mms&class=premium")).answer.text) == []


async def test_a_formula_is_marked_as_text(app: Application, asha: Browser) -> None:
    await use(app, 1, other_party="=HYPERLINK(1)", class_="premium")
    page = await asha.open(f"{HERE}.csv?class=premium&first=2026-11-22")
    (told,) = csv.DictReader(io.StringIO(page.answer.text))
    assert told["other_party"] == "'=HYPERLINK(1)"


@pytest.mark.parametrize("cell", ["=1+1", "+447700", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_every_sign_that_begins_a_formula_is_marked(cell: str) -> None:
    assert records.as_text(cell) == f"'{cell}"


async def test_taking_them_out_is_written_down(app: Application, asha: Browser) -> None:
    await asha.open(f"{HERE}.csv")
    found = await fetch(Prepared.sql("SELECT about FROM audit_event WHERE event = 'usage.records_fetched'").bind())
    assert [row["about"] for row in found] == [str(MOBILE)]


async def test_who_may_not_see_records_is_not_shown_the_way(ben: Browser) -> None:
    assert not (await ben.open(f"/usage/{MOBILE}")).has_link(HERE)
    for path in (HERE, f"{HERE}.csv", f"{HERE}.json"):
        assert (await ben.open(path)).status == 404


async def test_somebody_elses_records_look_like_none(chidi: Browser, femi: Browser) -> None:
    for path in (HERE, f"{HERE}.csv", f"{HERE}.json"):
        assert (await chidi.open(path)).status == 404
    assert (await femi.open(f"/usage/{people.bloom_service(0)}/records")).status == 200
    assert (await femi.open(f"/usage/{people.bloom_service(1)}/records.csv")).status == 404


async def test_the_number_of_statements_does_not_grow_with_the_records(app: Application, asha: Browser) -> None:
    await asha.open(HERE)
    with counting() as few:
        await asha.open(HERE)
    await use(app, 200)
    with counting() as many:
        await asha.open(HERE)
    assert len(many) == len(few)


def test_the_last_digits_are_hidden_from_others() -> None:
    record = a_record(0)
    assert records.shown_party(record, whole=True) == "+44 7700 900123"
    assert records.shown_party(record, whole=False) == "+447700900•••"


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_a_file_of_any_length_takes_the_same_memory(form: str) -> None:
    small, large = await peak(form, pages=2), await peak(form, pages=12)
    assert large < small * 1.2, f"{small} bytes for 2,000 records, {large} for 12,000"


async def peak(form: str, *, pages: int) -> int:
    thousand = tuple(a_record(n) for n in range(1000))

    async def generated() -> AsyncIterator[tuple[Record, ...]]:
        for _ in range(pages):
            yield thousand

    make = records.as_csv if form == "csv" else records.as_json
    tracemalloc.start()
    length = 0
    async for chunk in make(generated(), "Europe/London"):
        length += len(chunk)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert length > pages * 60_000
    return most


def a_record(n: int) -> Record:
    return Record(
        id=str(n),
        service_id=UUID(int=1),
        kind="call",
        direction="out",
        class_="on_net",
        started_at=NOW - timedelta(seconds=n),
        seconds=n,
        bytes=0,
        count=1,
        other_party="+447700900123",
        country="GB",
        cost_minor=n,
        currency="GBP",
    )
