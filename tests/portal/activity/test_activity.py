"""The Activity page: whose deeds it shows, in words, by kind and day, page by page, and as a file."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from selfcare.app import Application
from selfcare.audit import log as audit
from selfcare.audit.events import Event
from selfcare.audit.log import Actor
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.demo import people
from selfcare.identity.tables import User
from selfcare.kernel import clock, ids
from selfcare.kernel.origin import Origin
from selfcare.portal.account.tables import CustomerRequest
from selfcare.web.sheets import cell
from tests.support.browser import Browser, Page

ASHA = Actor(people.ASHA.id, people.ASHA.id, None, people.PATEL.id, Origin("203.0.113.9", "curl/8", "R-1", "GB"))


def lines(page: Page) -> list[str]:
    return [" ".join(row.text_content().split()) for row in page.html.xpath("//tr[starts-with(@id, 'activity-')]")]


async def happen(times: int, event: Event = Event.SERVICES_RENAMED, who: Actor = ASHA, **details: object) -> None:
    async with transaction():
        for _ in range(times):
            await audit.record(who, event, **details)


async def test_it_says_who_did_what_when_and_where(asha: Browser) -> None:
    await happen(1)
    first = lines(await asha.open("/activity"))[0]
    assert first == "A service was renamed You 22 Nov 2026, 12:00 curl, United Kingdom"


async def test_an_owner_sees_what_others_do_and_a_viewer_only_what_is_their_own(asha: Browser, ben: Browser) -> None:
    assert any("Ben Patel" in line for line in lines(await asha.open("/activity?kind=sign_in")))
    own = lines(await ben.open("/activity"))
    assert any("You" in line for line in own)
    assert not any("Asha" in line for line in own)


async def test_failed_sign_ins_are_there(asha: Browser, visitor: Browser) -> None:
    await visitor.sign_in("asha@example.test", "Wrong-Pass-1!")
    first = lines(await asha.open("/activity?kind=sign_in"))[0]
    assert first.startswith("A sign-in failed Refused Somebody who was not signed in")


async def test_a_support_visit_names_the_helper_the_reason_and_the_pages(asha: Browser) -> None:
    visit = Actor(people.DINA.id, people.ASHA.id, ids.new_id(), people.PATEL.id, Origin("198.51.100.1", "curl/8", "R"))
    await happen(1, Event.AS_OPENED, visit, reason="asked about a bill")
    await happen(1, Event.AS_LOOKED, visit, route="billing.invoice")
    looked, opened = lines(await asha.open("/activity?kind=as"))
    assert looked.startswith("Support looked at your bills Dina from support")
    assert "asked about a bill" in opened
    assert "198.51" not in looked, "where support sits is nobody's business"


async def test_what_strangers_do_is_not_there(asha: Browser, chidi: Browser) -> None:
    assert "Chidi" not in (await asha.open("/activity")).text
    assert "Asha" not in " ".join(lines(await chidi.open("/activity")))


async def test_it_can_be_narrowed_to_a_kind_and_to_days(asha: Browser) -> None:
    page = await asha.open("/activity?kind=cards")
    assert [line.split(" You ")[0] for line in lines(page)] == ["A card was added"]
    one_day = await asha.open("/activity?since=2026-11-21&until=2026-11-21")
    assert lines(one_day)
    assert all("21 Nov 2026" in line for line in lines(one_day))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("since=2026-11-22&until=2026-11-21", "until"),
        ("kind=staff", "kind"),
    ],
)
async def test_a_filter_that_means_nothing_says_so(asha: Browser, query: str, field: str) -> None:
    for path in ("/activity", "/activity/activity.csv"):
        page = await asha.open(f"{path}?{query}")
        assert page.status == 422
        assert page.html.xpath(f"//*[@role='alert']//a[@href='#{field}']")


@pytest.mark.parametrize("query", ["after=nonsense", "after=9999-99-99_x", "since=0001-01-01&until=9999-12-31"])
async def test_mangled_places_and_the_ends_of_time_show_the_newest(asha: Browser, query: str) -> None:
    page = await asha.open(f"/activity?{query}")
    assert page.status == 200
    assert lines(page)


async def test_twenty_five_at_a_time_and_none_twice(asha: Browser) -> None:
    await happen(60)
    seen: list[str] = []
    page = await asha.open("/activity?kind=services")
    while True:
        ids_here = [row.get("id") for row in page.html.xpath("//tr[@id]")]
        assert len(ids_here) <= 25
        seen += ids_here
        older = page.html.xpath("//a[@rel='next']/@href")
        if not older:
            break
        page = await asha.open(older[0])
    assert len(seen) == len(set(seen)) == 60


async def test_entries_older_than_two_years_are_gone(asha: Browser) -> None:
    with clock.frozen(clock.now() - timedelta(days=731)):
        await happen(1, Event.CARDS_RENAMED)
    assert "A card was renamed" not in (await asha.open("/activity?kind=cards")).text


async def test_the_file_has_every_line_and_no_formulas(asha: Browser) -> None:
    async with transaction():
        await User.update({User.display_name: "=HYPERLINK(1)"}).where(User.id == people.BEN.id)
    await happen(600)
    answer = await asha.open("/activity/activity.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="activity.csv"'
    rows = list(csv.reader(io.StringIO(answer.answer.content.decode("utf-8-sig"))))
    assert rows[0] == ["When", "What", "Who", "Device", "Place", "Outcome"]
    assert len(rows) > 600
    assert "'=HYPERLINK(1)" in {row[2] for row in rows}
    assert rows[1][1] == "The activity list was downloaded"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1"])
def test_a_formula_is_only_shown(text: str) -> None:
    assert cell(text) == f"'{text}"


async def test_the_number_of_statements_does_not_grow(asha: Browser) -> None:
    await asha.open("/activity")
    with counting() as few:
        await asha.open("/activity?kind=cards")
    await happen(40)
    with counting() as many:
        await asha.open("/activity")
    assert few.total == many.total <= 6, (few.statements, many.statements)


async def test_htmx_gets_the_list_alone(asha: Browser) -> None:
    page = await asha.open("/activity?kind=cards", htmx=True)
    assert page.html.get("id") == "activity-list"


async def test_a_line_user_has_no_activity_page(femi: Browser) -> None:
    assert (await femi.open("/activity")).status == 404


async def test_the_dashboard_shows_the_last_five(app: Application, asha: Browser) -> None:
    await happen(7)
    page = await asha.open("/")
    shown = page.html.xpath("//section[@aria-labelledby='activity-heading']//li")
    assert [" ".join(one.xpath("string(span)").split()) for one in shown] == ["A service was renamed"] * 5


async def test_what_a_thief_could_have_done_can_be_disowned(app: Application, asha: Browser) -> None:
    stranger = Browser(app, name="a new phone")
    await stranger.sign_in("asha@example.test", remember="on")
    page = await asha.open("/activity?kind=sign_in")
    assert lines(page)[0].startswith("Signed in You Not me")
    asked = await asha.open(page.html.xpath("//tr//a[.='Not me']/@href")[0])
    done = await asked.submit("not-me-form")
    assert "Choose a new password" in done.text
    assert (await asha.open("/account/password")).status == 200
    assert (
        await CustomerRequest.count()
        .where(CustomerRequest.user_id == people.ASHA.id)
        .where(CustomerRequest.kind == "other")
        == 1
    )
    assert (await stranger.open("/")).path.startswith("/sign-in")
    assert lines(await asha.open("/activity?kind=sign_in"))[0].startswith("All sign-ins were ended")
    await stranger.close()


async def test_nothing_is_disowned_that_others_did_or_that_was_refused(asha: Browser, ben: Browser) -> None:
    await asha.open("/sign-in/prove")
    page = await asha.open("/activity?kind=sign_in")
    for row in page.html.xpath("//tr[.//a[.='Not me']]"):
        assert "Ben Patel" not in row.text_content()
        assert "Refused" not in row.text_content()
