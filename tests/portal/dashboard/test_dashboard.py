"""What have I left, when does it end, do I owe anything."""

from __future__ import annotations

from datetime import timedelta

from selfcare.app import Application
from selfcare.db.counting import counting
from selfcare.db.engine import transaction
from selfcare.demo import people
from selfcare.identity.tables import Membership
from selfcare.kernel import clock
from tests.support.browser import Browser


async def test_it_says_what_is_left_and_what_is_owed(asha: Browser) -> None:
    page = await asha.open("/")
    assert "GB data left" in page.text
    assert "Internet - 14 Larch Road" in page.text
    assert "£93.20" in page.text
    assert "overdue" in page.text


async def test_of_several_bills_it_says_how_much_is_overdue(asha: Browser, chidi: Browser) -> None:
    assert "£93.20 to pay · £46.15 of it: 20 days overdue" in (await asha.open("/")).text
    assert "£24.00 to pay · 7 days overdue" in (await chidi.open("/")).text


async def test_a_new_customer_is_told_what_will_stand_here(empty: Browser) -> None:
    page = await empty.open("/")
    assert "No services yet" in page.text
    assert "Nothing is waiting to be paid" in page.text


async def test_the_worst_comes_first(chidi: Browser) -> None:
    page = await chidi.open("/")
    states = [
        " ".join(tag.text_content().split()) for tag in page.html.xpath("//article//span[starts-with(@class, 'tag')]")
    ]
    assert states[0] == "Suspended"


async def test_one_alert_and_a_link_to_the_others(asha: Browser) -> None:
    page = await asha.open("/")
    assert "is overdue" in page.text
    more = await asha.open("/alerts")
    assert "ends soon" in more.text
    assert "waiting to be paid" in more.text


async def test_low_data_is_an_alert(chidi: Browser) -> None:
    assert "running low" in (await chidi.open("/alerts")).text


async def test_who_may_not_see_bills_sees_none(femi: Browser) -> None:
    page = await femi.open("/")
    assert "To pay" not in page.text
    assert not page.has_link("/billing")


async def test_somebody_with_one_line_sees_that_line_only(femi: Browser) -> None:
    page = await femi.open("/")
    assert len(page.html.xpath("//article")) == 1


async def test_the_number_of_statements_does_not_grow_with_what_one_owns(
    asha: Browser, bloom: Browser, empty: Browser
) -> None:
    counts = {}
    for browser in (asha, bloom, empty):
        await browser.open("/")
        with counting() as count:
            await browser.open("/")
        counts[browser.name] = count.total
    assert counts["asha"] == counts["bloom"] >= counts["empty"], counts
    assert max(counts.values()) <= 9, counts


async def test_a_removed_member_sees_nothing_from_the_next_click_on(app: Application, ben: Browser) -> None:
    async with transaction():
        await Membership.update({Membership.removed_at: clock.now()}).where(Membership.user_id == people.BEN.id)
    page = await ben.open("/")
    assert page.status == 403
    assert "not linked to an account" in page.text
    assert (await ben.open("/billing")).status == 404


async def test_the_greeting_says_how_old_the_figures_are(asha: Browser) -> None:
    clock.travel_by(timedelta(minutes=5))
    assert "Updated 12:05" in (await asha.open("/")).text
